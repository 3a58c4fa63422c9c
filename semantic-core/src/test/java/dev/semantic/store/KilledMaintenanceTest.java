package dev.semantic.store;

import static dev.semantic.store.Snapshots.ALPHA;
import static dev.semantic.store.Snapshots.BETA;
import static dev.semantic.store.Snapshots.MIXED;
import static dev.semantic.store.Snapshots.assertSame;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.model.KvPrecision;
import dev.semantic.store.format.CacheFormat;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process that sends caches into the archive and fetches them back without end is killed; every
 * cache that it had acknowledged is in one place or the other, with all its blocks.
 */
class KilledMaintenanceTest {
  private static final int KILLS = 6;
  private static final int AGENTS = 4;
  private static final long SEED = 20261126;
  private static final KvSnapshot FIRST = Snapshots.of(ALPHA, MIXED, KvPrecision.FLOAT32, 41, 1);

  @TempDir Path directory;

  private static AgentId agent(int number) {
    return new AgentId("agent " + number);
  }

  /** What an agent parks the so-manyth time: a beginning that others have, too. */
  private static KvSnapshot snapshot(int number, int version) {
    KvSnapshot fork = Snapshots.fork(FIRST, 20 + number, 1000L * version + number);
    int[] tokens = fork.tokens().clone();
    tokens[40] = version;
    return new KvSnapshot(ALPHA, fork.layout(), fork.precision(), tokens, fork.layers());
  }

  /** Says {@code agent version} after each park. */
  public static final class Mover {
    private Mover() {}

    public static void main(String[] arguments) {
      CacheFormat form = new CacheFormat(Clock.systemUTC(), 64, 4);
      MaintenancePolicy policy =
          MaintenancePolicy.DEFAULTS.withInactiveModels(InactiveModelPolicy.ARCHIVE);
      try (DiskCacheStore store =
          DiskCacheStore.open(Path.of(arguments[0]), form, policy, DiskSpace.OF_FILE_SYSTEM)) {
        for (int version = Integer.parseInt(arguments[1]); ; version++) {
          store.updateModelTag(ALPHA);
          park(store, version % AGENTS, version);
          store.updateModelTag(BETA);
          store.filterCompatible();
          park(store, (version + 1) % AGENTS, version); // late: both places hold something
          if (version % 2 == 0) {
            store.filterCompatible();
          }
        }
      }
    }

    private static void park(DiskCacheStore store, int number, int version) {
      store.park(agent(number), snapshot(number, version));
      System.out.println(number + " " + version);
    }
  }

  @Test
  void whatWasAcknowledgedIsInOnePlaceOrTheOther() throws Exception {
    Random random = new Random(SEED);
    int[] acknowledged = new int[AGENTS];
    int first = 1;
    for (int kill = 0; kill < KILLS; kill++) {
      first = run(random, acknowledged, first) + 1;
      try (DiskCacheStore store =
          DiskCacheStore.open(directory, new CacheFormat(Clock.systemUTC(), 64, 4))) {
        store.updateModelTag(ALPHA);
        for (int number = 0; number < AGENTS; number++) {
          if (acknowledged[number] > 0) {
            KvSnapshot found = store.load(agent(number), ALPHA).orElseThrow();
            int version = found.tokens()[40];
            assertTrue(version >= acknowledged[number], "seed " + SEED + ", kill " + kill);
            assertSame(snapshot(number, version), found);
          }
        }
        assertFalse(Files.exists(directory.resolve(".quarantine")));
      }
    }
    for (int version : acknowledged) {
      assertTrue(version > 0, "somebody was never parked");
    }
  }

  /** Returns the last version that was parked. */
  private int run(Random random, int[] acknowledged, int first) throws Exception {
    Path errors = directory.resolve("errors");
    Process mover =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Mover.class.getName(),
                directory.toString(),
                Integer.toString(first))
            .redirectError(errors.toFile())
            .start();
    int last = first;
    int enough = 2 * AGENTS + random.nextInt(10);
    try (BufferedReader says = mover.inputReader()) {
      int count = 0;
      for (String line = says.readLine(); line != null; line = says.readLine()) {
        String[] words = line.split(" ", 2);
        last = Integer.parseInt(words[1]);
        acknowledged[Integer.parseInt(words[0])] = last;
        if (++count == enough) {
          LockSupport.parkNanos(random.nextInt(10_000_000));
          mover.toHandle().destroyForcibly(); // SIGKILL
        }
      }
      assertTrue(count >= enough, () -> read(errors));
    }
    mover.waitFor();
    return last;
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
