package dev.semantic.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Starts the processes that read what strangers wrote, with little memory. In every build: what was
 * found once, and some made at random. With {@code -Dsemantic.fuzz=60}: each target under Jazzer
 * for so many seconds.
 */
public final class Fuzzing {
  /** What was found, a file for each target, an input in base64 on each line. */
  private static final Path FOUND = Path.of("src/test/resources/fuzz");

  private static final String RANDOM = System.getProperty("semantic.fuzz.random", "120");
  private static final String SEED = System.getProperty("semantic.fuzz.seed", "1");
  private static final int STARTED = 60;
  private static final int SECONDS = Integer.getInteger("semantic.fuzz", 0);

  private Fuzzing() {}

  /**
   * Reads everything.
   *
   * @param directory an empty one
   */
  public static void assertNothingFound(Class<? extends FuzzTarget.Catalog> catalog, Path directory)
      throws Exception {
    FuzzTarget.Catalog targets = made(catalog);
    if (SECONDS > 0) {
      for (String name : targets.names()) {
        jazzer(catalog, name, directory);
      }
      return;
    }
    List<String> lines =
        run(
            directory,
            300,
            List.of(
                FuzzProgram.class.getName(),
                catalog.getName(),
                FOUND.toAbsolutePath().toString(),
                RANDOM,
                SEED));
    lines.stream().filter(line -> line.contains(" inside\t")).forEach(System.out::println);
    assertEquals(List.of(), lines.stream().filter(line -> line.startsWith("FOUND")).toList());
    for (String name : targets.names()) {
      String told =
          lines.stream()
              .filter(line -> line.startsWith(name + "\t"))
              .findAny()
              .orElseThrow(() -> new AssertionError(name + " was not read: " + lines));
      int read = Integer.parseInt(told.replaceAll(".*\\t(\\d+) random.*", "$1"));
      int inside = Integer.parseInt(told.replaceAll(".*\\t(\\d+) inside.*", "$1"));
      assertTrue(inside > read / 20, () -> "Few come past the front: " + told);
    }
  }

  static FuzzTarget.Catalog made(Class<? extends FuzzTarget.Catalog> catalog)
      throws ReflectiveOperationException {
    var constructor = catalog.getDeclaredConstructor();
    constructor.setAccessible(true);
    return constructor.newInstance();
  }

  private static void jazzer(Class<?> catalog, String name, Path directory) throws Exception {
    Path corpus = Files.createDirectories(directory.resolve("corpus-" + name));
    List<String> lines =
        run(
            directory,
            SECONDS + STARTED,
            List.of(
                "-Dsemantic.fuzz.catalog=" + catalog.getName(),
                "-Dsemantic.fuzz.target=" + name,
                "com.code_intelligence.jazzer.Jazzer",
                "--target_class=" + FuzzProgram.class.getName(),
                "--instrumentation_includes=dev.semantic.**",
                "--disabled_hooks=com.code_intelligence.jazzer.sanitizers.ServerSideRequestForgery"
                    + File.pathSeparator
                    + "com.code_intelligence.jazzer.sanitizers.FilePathTraversal",
                "--reproducer_path=" + directory,
                "-artifact_prefix=" + directory + "/",
                "-max_total_time=" + SECONDS,
                "-timeout=60", // the clock of a busy machine; what an input may take is MOST_NANOS
                "-max_len=128",
                corpus.toString()));
    lines.stream()
        .filter(line -> line.startsWith("Done ") || line.contains("Base64"))
        .forEach(line -> System.out.println(name + ": " + line));
    assertFalse(
        lines.stream().anyMatch(line -> line.startsWith("== Java Exception")),
        () -> name + ": " + String.join("\n", lines));
  }

  private static List<String> run(Path directory, int seconds, List<String> what)
      throws IOException, InterruptedException {
    Path out = directory.resolve("out");
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:-UsePerfData",
                "-XX:+EnableDynamicAgentLoading",
                "--enable-native-access=ALL-UNNAMED",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=off",
                "-Djava.io.tmpdir=" + directory,
                "-cp",
                System.getProperty("java.class.path")));
    command.addAll(what);
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out.toFile());
    builder.environment().put("SEMANTIC_HOME", directory.resolve("home").toString());
    Process process = builder.start();
    try {
      assertTrue(process.waitFor(seconds, TimeUnit.SECONDS), () -> said(out));
      assertEquals(0, process.exitValue(), () -> said(out));
    } finally {
      process.destroyForcibly();
    }
    return Arrays.asList(said(out).split("\n"));
  }

  private static String said(Path out) {
    try {
      return Files.readString(out, StandardCharsets.UTF_8);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
