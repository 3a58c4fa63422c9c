package dev.semantic.build;

import dev.semantic.mlx.MlxException;
import dev.semantic.mlx.capi.natives.NativeLibrary;
import dev.semantic.mlx.capi.natives.NativeManifest;
import dev.semantic.mlx.capi.natives.NativePins;
import dev.semantic.mlx.capi.natives.NativeVariant;
import dev.semantic.mlx.files.OnceDirectory;
import dev.semantic.mlx.files.Sha256;
import dev.semantic.mlx.models.UserCache;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/**
 * The build of the natives, run from source by Maven on the module's compiled classes. Made once
 * into the user's cache under a name that changes with every pin and every change of our kernels;
 * when they are there already, this only verifies them and needs neither network nor pip nor cargo.
 *
 * <p>Arguments: where to put the natives jar, and the OpenBLAS jar (used on Linux). {@code
 * -Dsemantic.natives=cuda} chooses MLX's CUDA build, {@code skip} builds nothing.
 */
final class NativesBuild {
  private NativesBuild() {}

  public static void main(String[] args) {
    try {
      writeFingerprint();
    } catch (IOException e) {
      System.err.println("The natives' sources cannot be read: " + e);
      System.exit(1);
    }
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
        made -> isIntact(made) && !couldHaveMore(made),
        empty -> {
          Tools tools = Tools.require();
          say("building once for this user, into " + home + " (about a minute)");
          if (Files.exists(home)) {
            say("again, because what is there is damaged, or lacks what can be built now");
          }
          Path parts = NativePins.parts(cache, variant);
          OnceDirectory.make(
              parts,
              NativesBuild::isWhole,
              fresh -> new Recipe(variant, tools, openblas, fresh).run());
          List<Path> all = new ArrayList<>(List.of(parts));
          if (canCompileGrammar(tools.cargo())) {
            all.add(grammar(tools.cargo(), cache, variant));
          }
          new Packing(variant, tools).run(all, empty);
        });
    Files.createDirectories(jar.toAbsolutePath().getParent());
    Files.copy(home.resolve(Packing.JAR), jar, StandardCopyOption.REPLACE_EXISTING);
    say("MLX " + NativePins.mlxVersion() + " for " + variant.classifier() + " is ready: " + home);
  }

  private static Path grammar(Tools.Cargo cargo, UserCache cache, NativeVariant variant)
      throws IOException {
    return OnceDirectory.make(
        NativePins.grammar(cache, variant),
        NativesBuild::isWhole,
        fresh -> {
          say("compiling llguidance, once for this user");
          GrammarBuild.run(cargo, fresh);
          Recipe.describe(variant, fresh.resolve(Recipe.FILES));
        });
  }

  /** A cargo that is too old is no reason to be without MLX, except on a continuous build. */
  private static boolean canCompileGrammar(Tools.Cargo cargo) throws IOException {
    if (GrammarBuild.isPossible(cargo)) {
      return true;
    }
    String old =
        "llguidance needs cargo %s, and there is %s: rustup (https://rustup.rs) brings it"
            .formatted(GrammarBuild.LEAST_CARGO, cargo.version());
    if (Boolean.parseBoolean(System.getenv("CI"))) {
      throw new IOException(old);
    }
    say(old);
    say("going on without it: constraints on answers will be refused");
    return false;
  }

  /** Whether they were made with a cargo that could not, and there is one now that can. */
  private static boolean couldHaveMore(Path home) throws IOException {
    return !Files.exists(home.resolve(Recipe.FILES).resolve(Recipe.LIB + NativeLibrary.GRAMMAR))
        && Tools.findCargo().filter(GrammarBuild::isPossible).isPresent();
  }

  /** Tells the classes which natives of ours are theirs: beside the pins, which are packed. */
  private static void writeFingerprint() throws IOException {
    URL classes = NativePins.class.getProtectionDomain().getCodeSource().getLocation();
    String packageName = NativePins.class.getPackageName();
    Path file =
        Path.of(URI.create(classes.toString()))
            .resolve(packageName.replace('.', '/'))
            .resolve(NativePins.KERNELS);
    String text =
        "kernels=%s\ngrammar=%s\n"
            .formatted(KernelsBuild.fingerprint(), GrammarBuild.fingerprint());
    if (!Files.exists(file) || !Files.readString(file).equals(text)) {
      Files.writeString(file, text);
    }
  }

  private static boolean isIntact(Path home) {
    try {
      return isWhole(home)
          && Sha256.of(home.resolve(Packing.JAR))
              .equals(Files.readString(home.resolve(Packing.JAR_SUM)));
    } catch (IOException e) {
      return false;
    }
  }

  private static boolean isWhole(Path home) {
    Path files = home.resolve(Recipe.FILES);
    try (InputStream in = Files.newInputStream(files.resolve(NativeManifest.FILE_NAME))) {
      return NativeManifest.read(in).damage(files).isEmpty();
    } catch (IOException | UncheckedIOException e) {
      return false; // unreadable or no manifest: made anew, which fails if the disk is to blame
    }
  }

  static void say(String line) {
    System.out.println("[natives] " + line);
  }
}
