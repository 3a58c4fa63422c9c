package dev.semantic.store;

import static dev.semantic.store.DiskCacheStoreTest.allFiles;
import static dev.semantic.store.DiskCacheStoreTest.assertSays;
import static dev.semantic.store.Snapshots.ALPHA;
import static dev.semantic.store.Snapshots.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.AgentSnapshot;
import dev.semantic.kv.BlockPool;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process that parks without end is killed; what it had acknowledged is there. */
class KilledWriterTest {
  private static final AgentId ANNA = new AgentId("anna");
  private static final int MOST_ROUNDS = 40;
  private static final int HALF_WRITTEN_WANTED = 3;

  @TempDir Path directory;

  /** Some 8 MiB, so that most of the time something is half-written; the bytes vary by four. */
  private static final List<KvSnapshot> BODIES =
      LongStream.range(0, 4)
          .mapToObj(
              seed ->
                  Snapshots.of(ALPHA, KvLayout.uniform(4, 4, 64), KvPrecision.FLOAT32, 1000, seed))
          .toList();

  private static KvSnapshot snapshot(int number) {
    KvSnapshot body = BODIES.get(number % 4);
    int[] tokens = body.tokens().clone();
    tokens[0] = number;
    return new KvSnapshot(ALPHA, body.layout(), body.precision(), tokens, body.layers());
  }

  /** Parks snapshots 0, 1, 2, … in the directory it is given and says the number of each. */
  public static final class Writer {
    private Writer() {}

    public static void main(String[] arguments) {
      try (DiskCacheStore store = DiskCacheStore.open(Path.of(arguments[0]))) {
        for (int number = 0; ; number++) {
          store.park(ANNA, snapshot(number));
          System.out.println(number);
        }
      }
    }
  }

  private static final List<AgentId> CROWD =
      Stream.of("anna", "berta", "clara", "dora", "emma", "frida").map(AgentId::new).toList();

  /** Parks everybody's 0, everybody's 1, … together, and says the number of each. */
  public static final class BatchWriter {
    private BatchWriter() {}

    public static void main(String[] arguments) {
      try (DiskCacheStore store = DiskCacheStore.open(Path.of(arguments[0]))) {
        for (int number = 0; ; number++) {
          List<AgentSnapshot> batch = new ArrayList<>();
          for (int i = 0; i < CROWD.size(); i++) {
            batch.add(new AgentSnapshot(CROWD.get(i), snapshot(CROWD.size() * number + i)));
          }
          for (ParkingResult result : store.parkAll(batch)) {
            if (!(result instanceof ParkingResult.Parked)) {
              throw new AssertionError(result.toString());
            }
          }
          System.out.println(number);
        }
      }
    }
  }

  private Process start(Path root) throws IOException {
    return start(root, Writer.class);
  }

  private Process start(Path root, Class<?> writer) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            writer.getName(),
            root.toString())
        .redirectError(directory.resolve("errors").toFile())
        .start();
  }

  @Test
  void whatWasAcknowledgedSurvives() throws Exception {
    int halfWritten = 0;
    for (int round = 0; round < MOST_ROUNDS && halfWritten < HALF_WRITTEN_WANTED; round++) {
      Path root = directory.resolve("root" + round);
      int acknowledged = killed(root, Writer.class, 2 + round % 3, round % 7);
      halfWritten +=
          allFiles(root.resolve(ALPHA.toString())).stream()
                  .anyMatch(file -> file.toString().endsWith(".tmp"))
              ? 1
              : 0;
      try (DiskCacheStore store = DiskCacheStore.open(root)) {
        KvSnapshot found = store.load(ANNA, ALPHA).orElseThrow();
        int number = found.tokens()[0];
        assertTrue(number == acknowledged || number == acknowledged + 1, "it is " + number);
        assertSame(snapshot(number), found);
        long blocks = found.tokens().length / BlockPool.BLOCK_TOKENS;
        assertEquals(1 + blocks, allFiles(root.resolve(ALPHA.toString())).size());
        assertFalse(Files.exists(root.resolve(".quarantine")));
      }
    }
    assertEquals(HALF_WRITTEN_WANTED, halfWritten, "no writer was killed while it was writing");
  }

  /**
   * Each agent has what was parked before or what was being parked, whole; nothing is left over.
   */
  @Test
  void ofABatchEachAgentIsAsItWasOrAsItShouldBecome() throws Exception {
    int halfWritten = 0;
    for (int round = 0; round < MOST_ROUNDS && halfWritten < HALF_WRITTEN_WANTED; round++) {
      Path root = directory.resolve("batches" + round);
      int acknowledged = killed(root, BatchWriter.class, 1 + round % 2, round % 7 * 9);
      Path home = root.resolve(ALPHA.toString());
      halfWritten +=
          allFiles(home).stream().anyMatch(file -> file.toString().endsWith(".tmp")) ? 1 : 0;
      try (DiskCacheStore store = DiskCacheStore.open(root)) {
        long blocks = 0;
        for (int i = 0; i < CROWD.size(); i++) {
          KvSnapshot found = store.load(CROWD.get(i), ALPHA).orElseThrow();
          int number = found.tokens()[0];
          assertEquals(i, number % CROWD.size());
          int batch = number / CROWD.size();
          assertTrue(batch == acknowledged || batch == acknowledged + 1, "it is " + batch);
          assertSame(snapshot(number), found);
          blocks += found.tokens().length / BlockPool.BLOCK_TOKENS;
        }
        assertEquals(CROWD.size() + blocks, allFiles(home).size());
        assertFalse(Files.exists(root.resolve(".quarantine")));
      }
    }
    assertEquals(HALF_WRITTEN_WANTED, halfWritten, "no writer was killed while it was writing");
  }

  /** The number that was acknowledged last. */
  private int killed(Path root, Class<?> with, int after, int millis) throws Exception {
    Process writer = start(root, with);
    int acknowledged = -1;
    try (BufferedReader says = writer.inputReader()) {
      while (acknowledged < after) {
        String line = says.readLine();
        assertTrue(line != null, () -> errors());
        acknowledged = Integer.parseInt(line);
      }
      LockSupport.parkNanos(1_000_000L * millis); // somewhere in the next one
      writer.toHandle().destroyForcibly(); // SIGKILL; the Process would close our end, too
      for (String line = says.readLine(); line != null; line = says.readLine()) {
        acknowledged = Integer.parseInt(line);
      }
    }
    writer.waitFor();
    return acknowledged;
  }

  @Test
  void aSecondProcessIsRefused() throws Exception {
    Process first = start(directory);
    try (BufferedReader says = first.inputReader()) {
      assertTrue(says.readLine() != null, () -> errors());
      CacheException refused =
          assertThrows(CacheException.class, () -> DiskCacheStore.open(directory));
      assertSays(directory.toString(), refused);
      assertSays("in use by process " + first.pid(), refused);
      assertTrue(says.readLine() != null, "the first goes on: " + errors());
    } finally {
      first.destroyForcibly().waitFor();
    }
    try (DiskCacheStore store = DiskCacheStore.open(directory)) {
      assertTrue(store.load(ANNA, ALPHA).isPresent());
      Process second = start(directory);
      assertEquals(1, second.waitFor());
      assertTrue(errors().contains("in use by process " + ProcessHandle.current().pid()), errors());
    }
  }

  private String errors() {
    try {
      return Files.readString(directory.resolve("errors"));
    } catch (IOException e) {
      return e.toString();
    }
  }
}
