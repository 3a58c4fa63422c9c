package dev.semantic.build;

import dev.semantic.pip.Command;
import dev.semantic.pip.Pip;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The programs that build the natives. cmake and ninja are not among them: where they are missing
 * pip brings them.
 *
 * @param pip fetches MLX
 * @param cargo fetches mlx-c's sources, and compiles llguidance
 */
record Tools(Pip pip, Cargo cargo) {

  /**
   * cargo, and what it needs in its environment to start.
   *
   * @param program its path or name
   * @param environment added to ours
   */
  record Cargo(String program, Map<String, String> environment) {
    private static final Pattern VERSION = Pattern.compile("(?m)^cargo ([0-9.]+)");

    /** As it says itself, whatever rustup says before it; empty if it does not. */
    String version() {
      try {
        String said = Command.run(List.of(program, "--version"), null, environment).tail();
        Matcher version = VERSION.matcher(said);
        return version.find() ? version.group(1) : "";
      } catch (IOException e) {
        return "";
      }
    }

    /**
     * Runs it.
     *
     * @param home what it fetches lies below it
     * @param more added to the environment
     */
    Command.Result run(List<String> command, Path directory, Path home, Map<String, String> more)
        throws IOException {
      List<String> line = new ArrayList<>(List.of(program));
      line.addAll(command);
      // The user's registry mirror and proxy live in the CARGO_HOME that is not used here.
      String own = System.getenv("CARGO_HOME");
      Path users = own == null ? Path.of(System.getProperty("user.home"), ".cargo") : Path.of(own);
      Path settings = users.resolve("config.toml");
      if (Files.isReadable(settings)) {
        line.addAll(List.of("--config", settings.toString()));
      }
      Map<String, String> all = new HashMap<>(environment);
      all.putAll(more);
      all.put("CARGO_HOME", Files.createDirectories(home).toString());
      return Command.run(line, directory, all);
    }
  }

  /** Finds all of them, before anything is downloaded. */
  static Tools require() throws MissingPrerequisites {
    List<String> missing = new ArrayList<>();
    Optional<Pip> pip = Pip.find();
    if (pip.isEmpty()) {
      missing.add("Python 3 with pip, to fetch MLX: " + Pip.INSTALL);
    }
    Optional<Cargo> cargo = findCargo();
    if (cargo.isEmpty()) {
      missing.add(
          "cargo, to fetch mlx-c's sources and to compile llguidance: apt-get install cargo"
              + " (Debian 13, Ubuntu 24.04, or later), dnf install cargo (Fedora), brew install"
              + " rust (macOS), or rustup (https://rustup.rs)");
    }
    if (!hasCompiler()) {
      missing.add(
          "a C++20 compiler, to build mlx-c: apt-get install g++ (Debian, Ubuntu),"
              + " dnf install gcc-c++ (Fedora), xcode-select --install (macOS)");
    }
    if (!missing.isEmpty()) {
      throw new MissingPrerequisites(missing);
    }
    return new Tools(pip.orElseThrow(), cargo.orElseThrow());
  }

  private static boolean hasCompiler() {
    String chosen = System.getenv("CXX"); // cmake asks it too
    Stream<String> names =
        chosen == null || chosen.isBlank()
            ? Stream.of("c++", "g++", "clang++")
            : Stream.of(chosen.split(" ")[0]);
    return names.anyMatch(name -> starts(name, Map.of()));
  }

  static Optional<Cargo> findCargo() {
    if (starts("cargo", Map.of())) {
      return Optional.of(new Cargo("cargo", Map.of()));
    }
    // rustup's cargo looks for its toolchains below HOME; under another HOME (a container, a CI
    // job) they still lie beside the directory that the program itself is in.
    return Stream.concat(
            onPath(), Stream.of(Path.of(System.getProperty("user.home"), ".cargo/bin")))
        .map(directory -> directory.resolve("cargo"))
        .filter(Files::isExecutable)
        .map(cargo -> new Cargo(cargo.toString(), rustupBeside(cargo)))
        .filter(cargo -> starts(cargo.program(), cargo.environment()))
        .findFirst();
  }

  private static Map<String, String> rustupBeside(Path cargo) {
    Path rustup = cargo.resolve("../../../.rustup").normalize();
    return Files.isDirectory(rustup) ? Map.of("RUSTUP_HOME", rustup.toString()) : Map.of();
  }

  private static Stream<Path> onPath() {
    String path = System.getenv("PATH");
    return path == null
        ? Stream.of()
        : Stream.of(path.split(":")).filter(p -> !p.isBlank()).map(Path::of);
  }

  static boolean starts(String program, Map<String, String> environment) {
    try {
      return Command.run(List.of(program, "--version"), null, environment).succeeded();
    } catch (IOException e) {
      return false; // no such program: that is the answer
    }
  }

  /**
   * cmake and ninja: the machine's own, or from pip into {@code directory}.
   *
   * @return the path or name by which {@code program} starts
   */
  String bring(String program, Path directory) throws IOException {
    if (starts(program, Map.of())) {
      return program;
    }
    NativesBuild.say("fetching " + program + ", which this machine has not");
    Path place = Files.createDirectories(directory.resolve(program));
    Path wheel = pip.download(program, List.of(), directory, directory);
    dev.semantic.mlx.files.Archive.extract(wheel, place, name -> true);
    try (Stream<Path> files = Files.walk(place)) {
      Path found =
          files
              .filter(Files::isRegularFile)
              .filter(p -> p.getFileName().toString().toLowerCase(Locale.ROOT).equals(program))
              .filter(Tools::isBinary)
              .findFirst()
              .orElseThrow(() -> new IOException(wheel + " holds no program " + program));
      if (!found.toFile().setExecutable(true)) {
        throw new IOException(found + " cannot be made executable");
      }
      return found.toAbsolutePath().toString();
    }
  }

  /** A wheel also has a Python script of the program's name. */
  private static boolean isBinary(Path file) {
    try (var in = Files.newInputStream(file)) {
      int first = in.read();
      return first != '#' && first != -1;
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
