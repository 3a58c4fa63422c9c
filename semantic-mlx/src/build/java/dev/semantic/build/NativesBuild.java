package dev.semantic.build;

import dev.semantic.mlx.MlxException;
import dev.semantic.mlx.capi.natives.NativeManifest;
import dev.semantic.mlx.capi.natives.NativePins;
import dev.semantic.mlx.capi.natives.NativeVariant;
import dev.semantic.mlx.files.OnceDirectory;
import dev.semantic.mlx.files.Sha256;
import dev.semantic.mlx.models.UserCache;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

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
          say("building once for this user, into " + home + " (about a minute)");
          if (Files.exists(home)) {
            say("again, because what is there is damaged");
          }
          new Recipe(variant, tools, openblas, empty).run();
        });
    Files.createDirectories(jar.toAbsolutePath().getParent());
    Files.copy(home.resolve(Recipe.JAR), jar, StandardCopyOption.REPLACE_EXISTING);
    say("MLX " + NativePins.mlxVersion() + " for " + variant.classifier() + " is ready: " + home);
  }

  private static boolean isIntact(Path home) {
    Path files = home.resolve(Recipe.FILES);
    try (InputStream in = Files.newInputStream(files.resolve(NativeManifest.FILE_NAME))) {
      return NativeManifest.read(in).damage(files).isEmpty()
          && Sha256.of(home.resolve(Recipe.JAR))
              .equals(Files.readString(home.resolve(Recipe.JAR_SUM)));
    } catch (IOException | UncheckedIOException e) {
      return false; // unreadable or no manifest: made anew, which fails if the disk is to blame
    }
  }

  static void say(String line) {
    System.out.println("[natives] " + line);
  }
}
