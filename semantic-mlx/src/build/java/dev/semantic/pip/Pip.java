package dev.semantic.pip;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * pip as a downloader of wheels, through the user's own settings (index, proxy, certificates).
 * Nothing is installed and no Python code of a package is run.
 */
public final class Pip {
  /** What to tell a user who has none. */
  public static final String INSTALL =
      "apt-get install python3 python3-pip (Debian, Ubuntu), dnf install python3 python3-pip"
          + " (Fedora), brew install python (macOS)";

  private final List<String> python;

  /**
   * pip of one particular Python.
   *
   * @param python the command that starts it: {@code [python3]}
   */
  public Pip(List<String> python) {
    this.python = List.copyOf(python);
  }

  /** The first Python with pip among {@code python3} and {@code python}; empty if there is none. */
  public static Optional<Pip> find() {
    return Stream.of("python3", "python")
        .map(name -> new Pip(List.of(name)))
        .filter(Pip::works)
        .findFirst();
  }

  /** Whether this Python starts and has pip. */
  public boolean works() {
    try {
      return Command.run(line("--version"), null, Map.of()).succeeded();
    } catch (IOException e) {
      return false; // no such program: that is the answer
    }
  }

  /**
   * Downloads the wheel of one requirement into {@code directory}, where it appears whole.
   *
   * @param requirement {@code mlx==0.32.2}
   * @param options more of {@code pip download}'s options, for example {@code --platform}
   * @param workplace an existing directory for what is not whole yet; its growth shows the progress
   * @return the wheel
   * @throws IOException naming the requirement, with pip's last lines
   */
  public Path download(String requirement, List<String> options, Path directory, Path workplace)
      throws IOException {
    Path incoming = Files.createTempDirectory(workplace, "incoming-");
    try {
      List<String> line = new ArrayList<>(line("download"));
      line.addAll(List.of("--no-deps", "--only-binary=:all:", "--no-cache-dir"));
      line.addAll(List.of("--progress-bar=off", "--disable-pip-version-check"));
      line.addAll(options);
      line.addAll(List.of("-d", incoming.toString(), requirement));
      // TMPDIR: a download that grows elsewhere could neither be watched nor swept away.
      // The other one is a rule for installs, and nothing is installed.
      Map<String, String> environment =
          Map.of("TMPDIR", incoming.toString(), "PIP_REQUIRE_VIRTUALENV", "0");
      Command.Result result = Command.run(line, null, environment);
      if (!result.succeeded()) {
        throw new IOException(
            "pip could not download "
                + requirement
                + " (exit code "
                + result.exitCode()
                + "). Is the network or the package index out of reach? pip said:\n"
                + result.tail());
      }
      Path wheel = onlyWheel(incoming, requirement);
      return Files.move(
          wheel, directory.resolve(wheel.getFileName()), StandardCopyOption.ATOMIC_MOVE);
    } finally {
      delete(incoming);
    }
  }

  private static Path onlyWheel(Path directory, String requirement) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .filter(p -> p.getFileName().toString().endsWith(".whl"))
          .findFirst()
          .orElseThrow(() -> new IOException("pip downloaded no wheel for " + requirement));
    }
  }

  private List<String> line(String argument) {
    List<String> line = new ArrayList<>(python);
    line.addAll(List.of("-m", "pip", argument));
    return line;
  }

  /** A directory with all that is in it. */
  static void delete(Path tree) throws IOException {
    List<Path> paths;
    try (Stream<Path> walk = Files.walk(tree)) {
      paths = walk.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path path : paths) {
      Files.deleteIfExists(path);
    }
  }
}
