package dev.semantic.build;

import dev.semantic.mlx.MlxException;
import dev.semantic.mlx.capi.NativeManifest;
import dev.semantic.mlx.capi.NativePins;
import dev.semantic.mlx.capi.NativeVariant;
import dev.semantic.mlx.files.OnceDirectory;
import dev.semantic.mlx.store.UserCache;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;

/**
 * The build of the natives, run from source by Maven on the module's compiled classes. Made once
 * into the user's cache under a name that changes with every pin; when they are there already, this
 * only verifies them and needs neither network nor pip nor cargo.
 *
 * <p>Arguments: where to put the natives jar, and the OpenBLAS jar (used on Linux). {@code
 * -Dsemantic.natives=cuda} chooses MLX's CUDA build, {@code skip} builds nothing.
 */
final class NativesBuild {
  private NativesBuild() {}

  public static void main(String[] args) {
    if (System.getProperty(NativeVariant.PROPERTY, "").equals("skip")) {
      say("skipped, as -Dsemantic.natives=skip asks: what needs MLX will not be tested");
      return;
    }
    try {
      build(Path.of(args[0]), Path.of(args[1]));
    } catch (MlxException | MissingPrerequisites e) {
      System.err.println(e.getMessage());
      System.err.println("Or leave the natives away: -Dsemantic.natives=skip");
      System.exit(1);
    } catch (IOException e) {
      System.err.println("The natives could not be built: " + e.getMessage());
      System.exit(1);
    }
  }

  private static void build(Path jar, Path openblas) throws IOException {
    UserCache cache = UserCache.ofUser();
    NativeVariant variant = NativeVariant.current();
    Path home = NativePins.directory(cache, variant);
    OnceDirectory.make(
        home,
        NativesBuild::isIntact,
        empty -> {
          Tools tools = Tools.require();
          say("building once for this machine, into " + home + " (about a minute)");
          new Recipe(variant, tools, openblas, empty).run();
        });
    Files.createDirectories(jar.toAbsolutePath().getParent());
    Files.copy(home.resolve(Recipe.JAR), jar, StandardCopyOption.REPLACE_EXISTING);
    say("MLX " + NativePins.mlxVersion() + " for " + variant.classifier() + " is ready: " + home);
  }

  private static boolean isIntact(Path home) throws IOException {
    Path files = home.resolve(Recipe.FILES);
    Path manifest = files.resolve(NativeManifest.FILE_NAME);
    if (!Files.isReadable(manifest) || !Files.isReadable(home.resolve(Recipe.JAR))) {
      return false;
    }
    try (InputStream in = Files.newInputStream(manifest)) {
      Optional<String> damage = NativeManifest.read(in).damage(files);
      damage.ifPresent(what -> say("building again: " + what));
      return damage.isEmpty();
    }
  }

  static void say(String line) {
    System.out.println("[natives] " + line);
  }
}
