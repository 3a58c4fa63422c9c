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
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Starts the processes that read what strangers wrote, with little memory. In every build: the
 * inputs that are known, and some made at random. With {@code -Dsemantic.fuzz=60}: under Jazzer for
 * so many seconds, beginning with those that are known.
 */
public final class Fuzzing {
  /** A directory for each target, an input in each file: some that reach much, and all found. */
  private static final Path KNOWN = Path.of("src/test/resources/fuzz");

  private static final String RANDOM = System.getProperty("semantic.fuzz.random", "120");
  private static final String SEED = System.getProperty("semantic.fuzz.seed", "1");
  private static final int STARTED = 180;
  private static final int SECONDS = Integer.getInteger("semantic.fuzz", 0);

  private Fuzzing() {}

  /** The targets of a catalogue, by name. */
  public static List<String> names(Class<? extends FuzzTarget.Catalog> catalog)
      throws ReflectiveOperationException {
    return made(catalog).names();
  }

  /**
   * Reads all that one target is given.
   *
   * @param directory an empty one
   */
  public static void assertNothingFound(
      Class<? extends FuzzTarget.Catalog> catalog, String name, Path directory) throws Exception {
    Path known = KNOWN.resolve(name).toAbsolutePath();
    if (SECONDS > 0) {
      jazzer(catalog, name, known, directory);
      return;
    }
    List<String> lines =
        run(
            directory,
            300,
            List.of(
                FuzzProgram.class.getName(),
                catalog.getName(),
                name,
                known.toString(),
                RANDOM,
                SEED));
    assertEquals(List.of(), lines.stream().filter(line -> line.startsWith("FOUND")).toList());
    String told =
        lines.stream()
            .filter(line -> line.startsWith(name + "\t"))
            .findAny()
            .orElseThrow(() -> new AssertionError(name + " was not read: " + lines));
    System.out.println(told);
    assertTrue(number(told, "(\\d+) known") > 0, told);
    int read = number(told, "(\\d+) random");
    assertTrue(number(told, "(\\d+) inside") > read / 20, () -> "Few pass the front: " + told);
  }

  private static int number(String line, String pattern) {
    Matcher matcher = Pattern.compile(pattern).matcher(line);
    return matcher.find() ? Integer.parseInt(matcher.group(1)) : 0;
  }

  static FuzzTarget.Catalog made(Class<? extends FuzzTarget.Catalog> catalog)
      throws ReflectiveOperationException {
    var constructor = catalog.getDeclaredConstructor();
    constructor.setAccessible(true);
    return constructor.newInstance();
  }

  private static void jazzer(Class<?> catalog, String name, Path known, Path directory)
      throws Exception {
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
                "--custom_hook_includes=dev.semantic.**", // the library's take half a minute
                "--disabled_hooks=com.code_intelligence.jazzer.sanitizers.ServerSideRequestForgery"
                    + File.pathSeparator
                    + "com.code_intelligence.jazzer.sanitizers.FilePathTraversal",
                "--reproducer_path=" + directory,
                "-artifact_prefix=" + directory + "/",
                "-max_total_time=" + SECONDS,
                "-timeout=60", // the clock of a busy machine; what an input may take is MOST_NANOS
                "-max_len=512",
                "-len_control=0",
                corpus.toString(),
                known.toString()));
    lines.stream()
        .filter(line -> line.startsWith("Done ") || line.contains("Base64"))
        .forEach(line -> System.out.println(name + ": " + line));
    assertFalse(
        lines.stream().anyMatch(line -> line.startsWith("== Java Exception")),
        () -> name + ": " + String.join("\n", lines));
    String done = lines.stream().filter(line -> line.startsWith("Done ")).findAny().orElse("");
    assertTrue(
        number(done, "in (\\d+) second") >= SECONDS && number(done, "Done (\\d+)") > 0,
        () -> name + " was not run for its time: " + done + String.join("\n", lines));
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
