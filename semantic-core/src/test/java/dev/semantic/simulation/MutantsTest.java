package dev.semantic.simulation;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Breaks the core on purpose, one line at a time, and asks whether the simulation sees it: {@code
 * mvn -Pmutants -pl .,semantic-core test}. The list is {@code mutants/mutants.txt}. A mutant that
 * hangs is caught, too; one that nobody sees means a question that the simulation does not ask.
 */
class MutantsTest {
  private static final Path SOURCES = Path.of("src/main/java/dev/semantic");
  private static final String RUNS = System.getProperty("semantic.mutants.runs", "4000");
  private static final long PATIENCE_SECONDS = 120;

  @TempDir private Path classes;

  /** A line of the core, and what takes its place. */
  record Mutant(String what, Path file, String original, String broken) {
    @Override
    public String toString() {
      return what;
    }

    String applied() throws IOException {
      String source = Files.readString(SOURCES.resolve(file), UTF_8);
      Matcher place = Pattern.compile(anySpace(original)).matcher(source);
      assertTrue(place.find(), () -> file + " has no such line any more: " + original);
      String result =
          source.substring(0, place.start()) + broken + " " + source.substring(place.end());
      assertTrue(!place.find(), () -> file + " has it more than once: " + original);
      return result;
    }

    private static String anySpace(String text) {
      return Arrays.stream(text.strip().split("\\s+", -1))
          .map(Pattern::quote)
          .collect(Collectors.joining("\\s+"));
    }
  }

  static List<Mutant> mutants() throws IOException {
    try (var in = MutantsTest.class.getResourceAsStream("/mutants/mutants.txt")) {
      String text = new String(Objects.requireNonNull(in).readAllBytes(), UTF_8);
      List<Mutant> mutants = new ArrayList<>();
      for (String block : text.split("\\R\\R+", -1)) {
        if (!block.isBlank() && !block.startsWith("#")) {
          List<String> lines = block.strip().lines().toList();
          assertEquals(4, lines.size(), block);
          mutants.add(
              new Mutant(
                  lines.get(0),
                  Path.of(lines.get(1)),
                  lines.get(2).substring(1).strip(),
                  lines.get(3).substring(1).strip()));
        }
      }
      return mutants;
    }
  }

  @ParameterizedTest
  @MethodSource("mutants")
  void everyLineToBreakIsStillThere(Mutant mutant) throws IOException {
    assertFalse(mutant.applied().isEmpty());
  }

  @ParameterizedTest
  @MethodSource("mutants")
  @EnabledIfSystemProperty(named = "semantic.mutants", matches = "true")
  void isSeen(Mutant mutant) throws Exception {
    compile(mutant);
    Path log = classes.resolve("log.txt");
    Process run =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=off",
                "-cp",
                classes + System.getProperty("path.separator") + classPath(),
                Runs.class.getName(),
                RUNS)
            .redirectOutput(log.toFile())
            .redirectError(Redirect.DISCARD)
            .start();
    boolean ended = run.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
    if (!ended) {
      run.destroyForcibly().waitFor();
    }
    String said = ended ? Files.readString(log, UTF_8) : "it hung";
    assertNotEquals(0, run.exitValue(), "nobody saw: " + mutant);
    assertTrue(!ended || !said.isBlank(), "it did not even begin");
    System.out.println(mutant + ": " + said.lines().reduce("", (first, last) -> last));
  }

  private void compile(Mutant mutant) throws IOException {
    Path source = classes.resolve(String.valueOf(mutant.file().getFileName()));
    Files.writeString(source, mutant.applied(), UTF_8);
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    int status =
        compiler.run(
            null,
            null,
            null,
            Stream.of("-proc:none", "-nowarn", "-cp", classPath(), "-d", classes, source)
                .map(Object::toString)
                .toArray(String[]::new));
    assertEquals(0, status, "it does not compile");
  }

  private static String classPath() {
    return System.getProperty("java.class.path");
  }
}
