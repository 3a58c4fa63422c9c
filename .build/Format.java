import com.google.googlejavaformat.java.Formatter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * The formatter check: every Java source of the modules as google-java-format would write it. Run
 * by {@code mvn validate} from the project's root; {@code mvn -N validate -Dformat=fix} rewrites
 * what differs.
 */
final class Format {
  private static final List<String> MODULES =
      List.of("semantic-core", "semantic-mlx", "semantic-examples", "benchmarks", ".build");

  public static void main(String[] args) throws Exception {
    boolean fix = args.length > 0 && args[0].equals("fix");
    List<Path> sources = sources();
    List<Path> different = sources.parallelStream().filter(p -> differs(p, fix)).sorted().toList();
    different.forEach(p -> System.err.println((fix ? "formatted " : "not formatted: ") + p));
    if (!fix && !different.isEmpty()) {
      System.err.println("Remedy: mvn -N validate -Dformat=fix");
      System.exit(1);
    }
  }

  private static List<Path> sources() throws IOException {
    List<Path> found = new java.util.ArrayList<>();
    for (String module : MODULES) {
      Path root = Path.of(module);
      if (!Files.isDirectory(root)) {
        continue;
      }
      try (Stream<Path> files = Files.walk(root)) {
        files
            .filter(p -> p.toString().endsWith(".java") && !p.startsWith(root.resolve("target")))
            .forEach(found::add);
      }
    }
    return found;
  }

  private static boolean differs(Path source, boolean fix) {
    try {
      String text = Files.readString(source);
      String formatted = new Formatter().formatSourceAndFixImports(text);
      if (formatted.equals(text)) {
        return false;
      }
      if (fix) {
        Files.writeString(source, formatted);
      }
      return true;
    } catch (Exception e) {
      throw new IllegalStateException(source + " cannot be formatted: " + e.getMessage(), e);
    }
  }
}
