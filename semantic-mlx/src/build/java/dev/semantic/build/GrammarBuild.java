package dev.semantic.build;

import dev.semantic.mlx.capi.natives.NativeLibrary;
import dev.semantic.mlx.files.OnceDirectory;
import dev.semantic.mlx.files.Sha256;
import dev.semantic.pip.Command;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * llguidance, which constrains what a model may say: compiled from the crates that {@code
 * Cargo.lock} names, with the licences of all of them.
 */
final class GrammarBuild {
  /** Relative to the module, where Maven starts the build. */
  private static final Path SOURCES = Path.of("src/native/grammar");

  private static final List<String> FILES = List.of("Cargo.lock", "Cargo.toml", "src/lib.rs");

  /** The first that knows what its sources are written in. */
  static final String LEAST_CARGO = "1.87";

  private static final int LEAST_MINOR = 87;

  private GrammarBuild() {}

  /** Whether this cargo is as new as it needs. */
  static boolean isPossible(Tools.Cargo cargo) {
    Matcher version = Pattern.compile("(\\d+)\\.(\\d+)\\b.*").matcher(cargo.version());
    return version.matches()
        && (Integer.parseInt(version.group(1)) > 1
            || Integer.parseInt(version.group(2)) >= LEAST_MINOR);
  }

  /** Changes when the crate, or one of those that it is made of, does. */
  static String fingerprint() throws IOException {
    MessageDigest digest = Sha256.digest();
    for (String file : FILES) {
      digest.update((file + "\n").getBytes(StandardCharsets.UTF_8));
      digest.update(Files.readAllBytes(SOURCES.resolve(file)));
    }
    return Sha256.finish(digest);
  }

  /**
   * Compiles it.
   *
   * @param home an empty directory, which holds the files as they are packed afterwards
   */
  static void run(Tools.Cargo cargo, Path home) throws IOException {
    Path work = Files.createDirectories(home.resolve("work")).toAbsolutePath();
    Path crate = work.resolve("crate");
    for (String file : FILES) {
      Recipe.take(SOURCES.resolve(file), crate.resolve(file));
    }
    // The prefix map keeps this machine's paths out of the binary and out of its messages.
    Map<String, String> flags = Map.of("RUSTFLAGS", "--remap-path-prefix=%s=.".formatted(work));
    Path cargoHome = work.resolve("cargo");
    Command.Result result =
        cargo.run(List.of("build", "--release", "--locked", "--quiet"), crate, cargoHome, flags);
    if (!result.succeeded()) {
      throw new IOException("cargo could not compile llguidance. It said:\n" + result.tail());
    }
    Path files = home.resolve(Recipe.FILES);
    Recipe.take(
        crate.resolve("target/release").resolve(NativeLibrary.GRAMMAR),
        files.resolve(Recipe.LIB + NativeLibrary.GRAMMAR));
    takeLicenses(cargoHome.resolve("registry/src"), files.resolve("licenses/crates"));
    OnceDirectory.delete(work);
  }

  /** Of every crate that was unpacked: what its package says, and the texts that come with it. */
  private static void takeLicenses(Path registry, Path licenses) throws IOException {
    StringBuilder all = new StringBuilder();
    for (Path index : entries(registry)) {
      for (Path crate : entries(index)) {
        String name = crate.getFileName().toString();
        all.append(name).append(": ").append(license(crate)).append('\n');
        for (Path file : entries(crate)) {
          if (file.getFileName().toString().matches("(?i)(licen[cs]e|copying|notice).*")
              && Files.isRegularFile(file)) {
            Recipe.take(file, licenses.resolve(name).resolve(file.getFileName()));
          }
        }
      }
    }
    Files.createDirectories(licenses);
    Files.writeString(licenses.resolve("LICENSES"), all);
  }

  private static String license(Path crate) throws IOException {
    try (Stream<String> lines = Files.lines(crate.resolve("Cargo.toml"))) {
      return lines
          .filter(line -> line.startsWith("license"))
          .findFirst()
          .map(line -> line.replaceFirst("^[^=]*=\\s*", "").replace("\"", ""))
          .orElseThrow(() -> new IOException(crate + " names no licence"));
    }
  }

  private static List<Path> entries(Path directory) throws IOException {
    try (Stream<Path> all = Files.list(directory)) {
      return all.sorted().toList();
    }
  }
}
