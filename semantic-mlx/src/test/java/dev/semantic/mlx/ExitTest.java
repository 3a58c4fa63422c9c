package dev.semantic.mlx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.semantic.mlx.ExitProgram.Doing;
import dev.semantic.mlx.ExitProgram.End;
import dev.semantic.mlx.testing.RequiresModels;
import dev.semantic.spi.PreparedModel;
import dev.semantic.store.DiskCacheStore;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A process that has MLX ends when it is told to, on a machine that is busy, whatever it is doing.
 *
 * <p>{@code -Dsemantic.exits=N}: so many times; {@code mvn test -Pexits} 200. {@code
 * -Dsemantic.exits.seed=S} repeats the instants.
 */
@RequiresModels
@DisabledOnOs(OS.WINDOWS)
class ExitTest {
  private static final int EXITS = Integer.getInteger("semantic.exits", 10);
  private static final long SEED = Long.getLong("semantic.exits.seed", System.nanoTime());
  private static final int LONGEST_DELAY_MICROS = 800_000;
  private static final int SPINNERS = 4;

  /**
   * Far more than it takes, on any machine; one that hangs would do so for ever. A registry that is
   * closed waits for the answer that is being given: alone 15 s, beside the spinners some times
   * that.
   */
  private static final Duration TO_END = Duration.ofMinutes(4);

  @TempDir Path directory;

  /** Every state with every end in turn, at an instant that nobody has chosen. */
  static Stream<Arguments> exits() {
    Random random = new Random(SEED);
    Doing[] doings = Doing.values();
    End[] ends = End.values();
    return IntStream.range(0, EXITS)
        .mapToObj(
            i ->
                Arguments.of(
                    doings[i % doings.length],
                    ends[(i + i / doings.length) % ends.length],
                    random.nextInt(LONGEST_DELAY_MICROS)));
  }

  @ParameterizedTest(name = "{0}, {1} after {2} µs")
  @MethodSource("exits")
  void itEnds(Doing doing, End end, int delay) throws Exception {
    assumeTrue(end != End.INT || !ignoresInterrupts(), "nor would a JVM that this one starts");
    Path caches = directory.resolve("caches");
    Process process = start(doing, end, delay, caches);
    try (BufferedReader said = process.inputReader(StandardCharsets.UTF_8)) {
      assertEquals("begun", said.readLine(), this::log);
      try (Busy _ = new Busy()) {
        assertEquals("here", said.readLine(), this::log);
        long from = System.nanoTime();
        signal(process, end);
        boolean ended = process.waitFor(TO_END.toSeconds(), TimeUnit.SECONDS);
        assertTrue(ended, () -> "it hangs (seed " + SEED + "): " + log());
        System.out.printf("%s, %s: %,d ms%n", doing, end, (System.nanoTime() - from) / 1_000_000);
      }
      assertEquals(end.status, process.exitValue(), this::log);
    } finally {
      process.destroyForcibly().waitFor();
    }
    if (end == End.CLOSE_AND_EXIT && doing != Doing.LOADING) {
      assertParked(caches);
    }
  }

  /** The host's own hook finds MLX as it was. */
  private static void assertParked(Path caches) {
    try (MlxModelRuntime runtime = MlxModelRuntime.open();
        PreparedModel prepared = runtime.prepare(ExitProgram.FIRST);
        DiskCacheStore store = DiskCacheStore.open(caches)) {
      assertTrue(
          store.load(ExitProgram.AGENT, prepared.spec().tag()).isPresent(), "nobody was parked");
    }
  }

  private Process start(Doing doing, End end, int delay, Path caches) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx1g", "--enable-native-access=ALL-UNNAMED"));
    command.addAll(List.of("-classpath", System.getProperty("java.class.path")));
    command.addAll(List.of(ExitProgram.class.getName(), doing.name(), end.name()));
    command.addAll(List.of(Integer.toString(delay), caches.toString()));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().remove("OPENBLAS_NUM_THREADS"); // with one there is nobody to wait for
    return builder.redirectError(directory.resolve("log").toFile()).start();
  }

  private static void signal(Process process, End end) throws Exception {
    if (end == End.TERM) {
      process.destroy();
    } else if (end == End.INT) {
      String pid = Long.toString(process.pid());
      assertEquals(0, new ProcessBuilder("/bin/kill", "-INT", pid).start().waitFor());
    }
  }

  /** As in the background of a shell; the children inherit it, and a JVM leaves it so. */
  private static boolean ignoresInterrupts() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.isReadable(status)) {
      return false;
    }
    try (Stream<String> lines = Files.lines(status)) {
      return lines
          .filter(line -> line.startsWith("SigIgn:"))
          .anyMatch(line -> (Long.parseUnsignedLong(line.substring(7).strip(), 16) & 2) != 0);
    }
  }

  private String log() {
    try {
      return Files.readString(directory.resolve("log"));
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** A machine that has other things to do. */
  private static final class Busy implements AutoCloseable {
    private volatile boolean over;

    private Busy() {
      for (int i = 0; i < SPINNERS; i++) {
        Thread.ofPlatform().daemon().start(this::spin);
      }
    }

    private void spin() {
      while (!over) {
        Thread.onSpinWait();
      }
    }

    @Override
    public void close() {
      over = true;
    }
  }
}
