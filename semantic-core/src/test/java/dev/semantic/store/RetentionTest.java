package dev.semantic.store;

import static dev.semantic.store.DiskCacheStoreTest.allFiles;
import static dev.semantic.store.DiskCacheStoreTest.files;
import static dev.semantic.store.Snapshots.ALPHA;
import static dev.semantic.store.Snapshots.BETA;
import static dev.semantic.store.Snapshots.assertSame;
import static dev.semantic.store.Snapshots.small;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.memory.ByteSize;
import dev.semantic.store.disk.Fault;
import dev.semantic.store.disk.FaultyDisk;
import dev.semantic.store.format.CacheFileNames;
import dev.semantic.store.format.CacheFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Caches beyond the limits go, least recently used first, and nobody who is in use. */
class RetentionTest {
  private static final Duration HOUR = Duration.ofHours(1);
  private static final ByteSize NOTHING = ByteSize.ZERO;

  @TempDir Path directory;
  private final HandClock clock = new HandClock();
  private final FaultyDisk disk = FaultyDisk.create();
  private final List<DiskCacheStore> open = new ArrayList<>();
  private Path root;
  private StandardError log;
  private long free = Long.MAX_VALUE / 2;

  @BeforeEach
  void listen() {
    root = directory.resolve("root");
    log = new StandardError();
  }

  @AfterEach
  void close() {
    open.forEach(DiskCacheStore::close);
    log.close();
  }

  private DiskCacheStore open(MaintenancePolicy policy) {
    DiskCacheStore store =
        DiskCacheStore.open(disk.path(root), new CacheFormat(clock, 64, 4), policy, where -> free);
    open.add(store);
    return store;
  }

  private DiskCacheStore reopen(MaintenancePolicy policy) {
    open.removeLast().close();
    return open(policy);
  }

  private static MaintenancePolicy live(Retention limits) {
    return MaintenancePolicy.DEFAULTS.withLive(limits);
  }

  private static AgentId agent(int number) {
    return new AgentId("agent " + number);
  }

  /** One an hour; the first is the oldest. */
  private void parkAgents(DiskCacheStore store, int count) {
    for (int i = 0; i < count; i++) {
      store.park(agent(i), small(ALPHA, i));
      clock.advance(HOUR);
    }
  }

  private static List<Integer> left(DiskCacheStore store, int count) {
    List<Integer> left = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      if (store.parked(ALPHA).stream().map(ParkedCache::agent).toList().contains(agent(i))) {
        left.add(i);
      }
    }
    return left;
  }

  private long bytes() throws IOException {
    long bytes = 0;
    for (Path file : allFiles(root.resolve(ALPHA.toString()))) {
      bytes += Files.size(file);
    }
    return bytes;
  }

  @Test
  void theLeastRecentlyUsedGoFirst() throws IOException {
    DiskCacheStore store = open(MaintenancePolicy.DEFAULTS);
    parkAgents(store, 5);
    long each = bytes() / 5;
    store.load(agent(0), ALPHA); // it is the most recently used now
    clock.advance(HOUR);
    store = reopen(live(Retention.UNLIMITED.withBytes(new ByteSize(3 * each + each / 2))));
    MaintenanceReport report = store.maintenance().run();
    assertEquals(List.of(0, 3, 4), left(store, 5));
    assertEquals(2, report.caches());
    assertTrue(Math.abs(2 * each - report.freed().bytes()) < each / 4, report.toString());
    assertTrue(Math.abs(3 * each - bytes()) < each / 4, "it is " + bytes());
    for (int i : left(store, 5)) {
      assertSame(small(ALPHA, i), store.load(agent(i), ALPHA).orElseThrow());
    }
    assertTrue(log.text().contains("Removed 2 live caches of " + root), log.text());
    assertEquals(MaintenanceReport.NOTHING, store.maintenance().run());
  }

  @Test
  void withinTheLimitsNothingGoes() throws IOException {
    DiskCacheStore store = open(MaintenancePolicy.DEFAULTS);
    parkAgents(store, 3);
    store =
        reopen(
            live(
                Retention.UNLIMITED
                    .withBytes(new ByteSize(bytes()))
                    .withAge(HOUR.multipliedBy(3))
                    .withFreeDisk(new ByteSize(free))));
    assertEquals(MaintenanceReport.NOTHING, store.maintenance().run());
    assertEquals(List.of(0, 1, 2), left(store, 3));
  }

  @Test
  void whatNobodyUsedForLongGoes() {
    DiskCacheStore store = open(live(Retention.UNLIMITED.withAge(HOUR.multipliedBy(2))));
    parkAgents(store, 5);
    assertEquals(3, store.maintenance().run().caches());
    assertEquals(List.of(3, 4), left(store, 5));
  }

  @Test
  void theDiskIsKeptFree() throws IOException {
    DiskCacheStore store = open(live(Retention.UNLIMITED.withFreeDisk(new ByteSize(100_000))));
    parkAgents(store, 5);
    long each = bytes() / 5;
    free = 100_000 - each - each / 2;
    assertEquals(2, store.maintenance().run().caches());
    assertEquals(List.of(2, 3, 4), left(store, 5));
    assertTrue(log.text().contains("are to stay free"), log.text());
  }

  @Test
  void whatSeveralShareCountsOnceAndStaysWithTheLast() throws IOException {
    DiskCacheStore store = open(MaintenancePolicy.DEFAULTS);
    KvSnapshot first = Snapshots.of(ALPHA, Snapshots.MIXED, small(ALPHA, 1).precision(), 40, 1);
    for (int i = 0; i < 4; i++) {
      store.park(agent(i), Snapshots.fork(first, 37, i));
      clock.advance(HOUR);
    }
    long all = bytes();
    assertTrue(
        store.parked(ALPHA).stream().mapToLong(cache -> cache.size().bytes()).sum() > all,
        "they share");
    store = reopen(live(Retention.UNLIMITED.withBytes(new ByteSize(all))));
    assertEquals(MaintenanceReport.NOTHING, store.maintenance().run());
    store = reopen(live(Retention.UNLIMITED.withBytes(new ByteSize(all - 1))));
    assertEquals(1, store.maintenance().run().caches());
    assertEquals(List.of(1, 2, 3), left(store, 4));
    for (int i = 1; i < 4; i++) {
      assertSame(Snapshots.fork(first, 37, i), store.load(agent(i), ALPHA).orElseThrow());
    }
  }

  @Test
  void whoIsInMemoryStaysAndThatIsSaidOnce() {
    DiskCacheStore store = open(live(Retention.UNLIMITED.withBytes(NOTHING)));
    store.updateModelTag(ALPHA);
    PinnedAgents engine = () -> Set.of(agent(0), agent(2));
    store.addUser(engine);
    parkAgents(store, 4);
    assertEquals(2, store.maintenance().run().caches());
    assertEquals(List.of(0, 2), left(store, 4));
    assertEquals(MaintenanceReport.NOTHING, store.maintenance().run());
    assertEquals(2, log.text().split("The live caches of", -1).length, "said once: " + log.text());
    store.removeUser(engine);
    assertEquals(2, store.maintenance().run().caches());
  }

  @Test
  void whatWasUsedJustNowStays() {
    DiskCacheStore store = open(live(Retention.UNLIMITED.withBytes(NOTHING)));
    store.park(agent(0), small(ALPHA, 0));
    assertEquals(MaintenanceReport.NOTHING, store.maintenance().run());
    clock.advance(Duration.ofMinutes(2));
    store.load(agent(0), ALPHA);
    assertEquals(MaintenanceReport.NOTHING, store.maintenance().run());
    clock.advance(Duration.ofMinutes(2));
    assertEquals(1, store.maintenance().run().caches());
  }

  /** A read that hangs half-way: the file it reads is the one that would go. */
  @Test
  void whatIsBeingReadStays() throws Exception {
    DiskCacheStore store = open(live(Retention.UNLIMITED.withBytes(NOTHING)));
    parkAgents(store, 1);
    CountDownLatch reading = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    Thread main = Thread.currentThread();
    disk.inject(
        (count, operation) -> {
          if (operation.startsWith("read agent") && Thread.currentThread() != main) {
            reading.countDown();
            await(go);
          }
        });
    List<KvSnapshot> found = new ArrayList<>();
    Thread reader =
        Thread.ofPlatform().start(() -> store.load(agent(0), ALPHA).ifPresent(found::add));
    await(reading);
    assertEquals(MaintenanceReport.NOTHING, store.maintenance().run());
    go.countDown();
    reader.join();
    assertSame(small(ALPHA, 0), found.getFirst());
    assertEquals(MaintenanceReport.NOTHING, store.maintenance().run(), "it was used just now");
    assertEquals(List.of(0), left(store, 1));
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(60, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void theArchiveHasLimitsOfItsOwn() throws IOException {
    MaintenancePolicy policy =
        MaintenancePolicy.DEFAULTS
            .withInactiveModels(InactiveModelPolicy.ARCHIVE)
            .withArchive(Retention.UNLIMITED.withAge(HOUR.multipliedBy(3)));
    DiskCacheStore store = open(policy);
    parkAgents(store, 4);
    store.updateModelTag(BETA);
    store.filterCompatible();
    store.park(agent(9), small(BETA, 9));
    clock.advance(HOUR.multipliedBy(100));
    store.park(agent(8), small(BETA, 8));
    assertEquals(4, store.maintenance().run().caches());
    assertEquals(2, store.parked(BETA).size(), "live ones stay for ever");
    assertEquals(List.of(), files(root.resolve(".archive")));
    parkAgents(store, 4);
    store.filterCompatible();
    assertEquals(1, store.maintenance().run().caches());
    store.updateModelTag(ALPHA);
    assertEquals(List.of(1, 2, 3), left(store, 4));
    assertSame(small(ALPHA, 2), store.load(agent(2), ALPHA).orElseThrow());
  }

  @Test
  void theQuarantineIsCountedFromTheDayOfTheFind() throws IOException {
    DiskCacheStore store =
        open(MaintenancePolicy.DEFAULTS.withQuarantine(Retention.UNLIMITED.withAge(HOUR)));
    store.park(agent(0), small(ALPHA, 0));
    clock.advance(HOUR.multipliedBy(50));
    Files.write(CacheFileNames.file(root, agent(0), ALPHA), new byte[50]);
    store.load(agent(0), ALPHA);
    Path foreign = Files.writeString(root.resolve(".quarantine").resolve("readme.kv"), "mine");
    assertEquals(MaintenanceReport.NOTHING, store.maintenance().run());
    assertEquals(2, files(root.resolve(".quarantine")).size());
    clock.advance(HOUR.plusSeconds(1));
    assertEquals(1, store.maintenance().run().caches());
    assertEquals(List.of(foreign), files(root.resolve(".quarantine")));
  }

  @Test
  void whatCannotBeRemovedStaysAndIsSaid() {
    DiskCacheStore store = open(live(Retention.UNLIMITED.withBytes(NOTHING)));
    parkAgents(store, 2);
    disk.inject(
        (count, operation) -> {
          if (operation.startsWith("delete agent-0")) {
            throw new IOException("injected");
          }
        });
    assertEquals(1, store.maintenance().run().caches());
    disk.inject(Fault.NONE);
    assertTrue(log.text().contains("Cannot remove " + root), log.text());
    assertEquals(List.of(0), left(store, 2));
  }

  @Test
  void aClosedStoreRemovesNothing() {
    DiskCacheStore store = open(live(Retention.UNLIMITED.withBytes(NOTHING)));
    parkAgents(store, 1);
    store.close();
    assertThrows(IllegalStateException.class, () -> store.maintenance().run());
    assertTrue(Files.exists(CacheFileNames.file(root, agent(0), ALPHA)));
  }

  @Test
  void theLimitsAreLookedAtInTheBackground() throws IOException {
    try (DiskCacheStore store =
        DiskCacheStore.open(
            root,
            MaintenancePolicy.DEFAULTS
                .withInactiveModels(InactiveModelPolicy.ARCHIVE)
                .withArchive(Retention.UNLIMITED.withBytes(NOTHING)))) {
      store.park(agent(0), small(ALPHA, 0));
      store.updateModelTag(BETA);
      assertEquals(1, store.filterCompatible());
      store.park(agent(1), small(BETA, 1));
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
      while (!files(root.resolve(".archive")).isEmpty()) {
        assertTrue(System.nanoTime() - end < 0, "nobody looked");
        LockSupport.parkNanos(10_000_000);
      }
      assertTrue(store.load(agent(1), BETA).isPresent());
    }
    assertFalse(Files.exists(root.resolve(ALPHA.toString())));
  }

  @Test
  void limitsThatMakeNoSenseAreRefused() {
    assertThrows(
        IllegalArgumentException.class, () -> Retention.UNLIMITED.withAge(Duration.ofSeconds(-1)));
  }
}
