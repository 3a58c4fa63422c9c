package dev.semantic.store;

import static dev.semantic.store.Snapshots.ALPHA;
import static dev.semantic.store.Snapshots.BETA;
import static dev.semantic.store.Snapshots.MIXED;
import static dev.semantic.store.Snapshots.assertSame;
import static dev.semantic.store.Snapshots.small;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.io.DurableFiles;
import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvEncoding;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.model.KvPrecision;
import dev.semantic.store.disk.Fault;
import dev.semantic.store.disk.FaultyDisk;
import dev.semantic.store.format.CacheFileNames;
import dev.semantic.store.format.CacheFileWriter;
import dev.semantic.store.format.CacheFormat;
import dev.semantic.store.format.CacheHeader;
import dev.semantic.store.format.SnapshotReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Archiving, bringing back, removing, exporting and importing, where the first file operation
 * fails, the second, the third, … until a run passes untouched: what was complete is there, if not
 * in one place, then in the other.
 */
class MaintenanceFaultsTest {
  private static final AgentId ANNA = new AgentId("anna");
  private static final AgentId BOB = new AgentId("bob");
  private static final AgentId CARL = new AgentId("carl");
  private static final KvSnapshot FIRST = Snapshots.of(ALPHA, MIXED, KvPrecision.FLOAT32, 13, 1);

  @TempDir(factory = MemoryDirectory.class)
  Path directory;

  private final HandClock clock = new HandClock();
  private final FaultyDisk disk = FaultyDisk.create();
  private StandardError log;
  private Path root = Path.of("");
  private MaintenancePolicy policy =
      MaintenancePolicy.DEFAULTS.withInactiveModels(InactiveModelPolicy.ARCHIVE);

  /** Whether the disk recovers after the fault. */
  enum Lasting {
    ONCE,
    FOR_GOOD;

    Fault at(int n) {
      return this == ONCE ? Fault.once(n) : Fault.from(n);
    }
  }

  @BeforeEach
  void listen() {
    log = new StandardError();
  }

  @AfterEach
  void close() {
    log.close();
  }

  private DiskCacheStore open() {
    return DiskCacheStore.open(
        disk.path(root), new CacheFormat(clock, 64, 4), policy, where -> Long.MAX_VALUE / 2);
  }

  /** What is done under a fault, or before or after it. */
  @FunctionalInterface
  private interface Doing {
    void with(DiskCacheStore store) throws IOException;
  }

  /** Agents that share blocks, so that what takes too many away is found out. */
  private Map<AgentId, KvSnapshot> park(DiskCacheStore store) {
    Map<AgentId, KvSnapshot> parked = new LinkedHashMap<>();
    parked.put(ANNA, FIRST);
    parked.put(BOB, Snapshots.fork(FIRST, 9, 2));
    parked.put(CARL, Snapshots.fork(FIRST, 11, 3));
    parked.forEach(
        (agent, snapshot) -> {
          store.park(agent, snapshot);
          clock.advance(Duration.ofHours(1));
        });
    return parked;
  }

  /** In a new directory each time; asks the store that saw the fault, and one that did not. */
  private void failEach(Lasting lasting, int atLeast, Doing before, Doing faulty, Doing after)
      throws IOException {
    int n = 1;
    for (boolean untouched = false; !untouched; n++) {
      root = directory.resolve("root" + n);
      try (DiskCacheStore store = open()) {
        before.with(store);
        disk.inject(lasting.at(n));
        try {
          faulty.with(store);
        } catch (CacheException e) {
          assertTrue(e.toString().contains("injected"), e::toString);
        }
        untouched = disk.operations().size() < n;
        disk.inject(Fault.NONE);
        after.with(store);
      }
      try (DiskCacheStore store = open()) {
        after.with(store);
      }
      assertFalse(Files.exists(root.resolve(".quarantine")), "a good cache was put aside");
    }
    assertTrue(n > atLeast, "too few faults: " + n);
  }

  private static void assertThere(DiskCacheStore store, Map<AgentId, KvSnapshot> expected) {
    store.updateModelTag(ALPHA);
    expected.forEach(
        (agent, snapshot) -> assertSame(snapshot, store.load(agent, ALPHA).orElseThrow()));
    assertEquals(expected.size(), store.parked(ALPHA).size());
  }

  private final Map<AgentId, KvSnapshot> there = new LinkedHashMap<>();

  private KvSnapshot parked(AgentId agent) {
    return Objects.requireNonNull(there.get(agent));
  }

  private void parkAll(DiskCacheStore store) {
    there.clear();
    there.putAll(park(store));
  }

  /** The writer was slower than the swap, so that the two places must be put together. */
  private void archiveAndParkLate(DiskCacheStore store) {
    parkAll(store);
    store.updateModelTag(BETA);
    store.filterCompatible();
    there.put(BOB, Snapshots.fork(FIRST, 6, 7));
    store.park(BOB, parked(BOB));
  }

  @ParameterizedTest
  @EnumSource
  void archivingAWholeModel(Lasting lasting) throws IOException {
    failEach(
        lasting,
        8,
        store -> {
          parkAll(store);
          store.updateModelTag(BETA);
        },
        CacheStore::filterCompatible,
        store -> assertThere(store, there));
  }

  @ParameterizedTest
  @EnumSource
  void bringingAWholeModelBack(Lasting lasting) throws IOException {
    failEach(
        lasting,
        8,
        store -> {
          parkAll(store);
          store.updateModelTag(BETA);
          store.filterCompatible();
        },
        store -> store.updateModelTag(ALPHA),
        store -> assertThere(store, there));
  }

  @ParameterizedTest
  @EnumSource
  void archivingToWhereSomeAreAlready(Lasting lasting) throws IOException {
    failEach(
        lasting,
        30,
        this::archiveAndParkLate,
        CacheStore::filterCompatible,
        s -> assertThere(s, there));
  }

  @ParameterizedTest
  @EnumSource
  void bringingBackToWhereSomeAreAlready(Lasting lasting) throws IOException {
    failEach(
        lasting,
        50,
        this::archiveAndParkLate,
        store -> store.updateModelTag(ALPHA),
        store -> assertThere(store, there));
  }

  @ParameterizedTest
  @EnumSource
  void archivingOneAgent(Lasting lasting) throws IOException {
    CacheEntry[] bob = new CacheEntry[1];
    failEach(
        lasting,
        30,
        store -> {
          parkAll(store);
          bob[0] = store.maintenance().list().get(1);
        },
        store -> store.maintenance().archive(bob[0]),
        store -> assertThere(store, there));
  }

  @ParameterizedTest
  @EnumSource
  void removingWhatGoesBeyondTheLimits(Lasting lasting) throws IOException {
    policy =
        MaintenancePolicy.DEFAULTS.withLive(Retention.UNLIMITED.withAge(Duration.ofMinutes(150)));
    failEach(
        lasting,
        20,
        this::parkAll,
        store -> store.maintenance().run(),
        store -> {
          assertSame(parked(BOB), store.load(BOB, ALPHA).orElseThrow());
          assertSame(parked(CARL), store.load(CARL, ALPHA).orElseThrow());
          store.load(ANNA, ALPHA).ifPresent(found -> assertSame(parked(ANNA), found));
          assertEquals(store.load(ANNA, ALPHA).isPresent() ? 3 : 2, store.parked(ALPHA).size());
        });
  }

  @ParameterizedTest
  @EnumSource
  void deletingADepartedModel(Lasting lasting) throws IOException {
    policy = MaintenancePolicy.DEFAULTS.withInactiveModels(InactiveModelPolicy.DELETE);
    failEach(
        lasting,
        20,
        store -> {
          parkAll(store);
          store.park(ANNA, small(BETA, 9));
          store.updateModelTag(BETA);
        },
        CacheStore::filterCompatible,
        store -> {
          assertSame(small(BETA, 9), store.load(ANNA, BETA).orElseThrow());
          there
              .keySet()
              .forEach(
                  agent ->
                      store
                          .load(agent, ALPHA)
                          .ifPresent(found -> assertSame(parked(agent), found)));
        });
  }

  @ParameterizedTest
  @EnumSource
  void exporting(Lasting lasting) throws IOException {
    Path out = disk.path(directory.resolve("anna.kv"));
    CacheEntry[] former = new CacheEntry[1];
    failEach(
        lasting,
        20,
        store -> {
          parkAll(store);
          former[0] = store.maintenance().list().getFirst();
          Files.deleteIfExists(out);
          CacheView.of(disk.path(root)).export(former[0], out);
          there.put(ANNA, Snapshots.fork(FIRST, 5, 11));
          store.park(ANNA, parked(ANNA));
        },
        store -> CacheView.of(disk.path(root)).export(former[0], out),
        store -> {
          assertThere(store, there);
          KvSnapshot exported = SnapshotReader.snapshot(out, CacheFormat.usual());
          assertSame(exported.tokens()[5] == FIRST.tokens()[5] ? FIRST : parked(ANNA), exported);
          assertEquals(Set.of("anna.kv"), names(), "nothing half-written, where it can be removed");
        });
  }

  /** A disk that fails for good cannot be cleaned up either. */
  private Set<String> names() throws IOException {
    Set<String> names = new TreeSet<>();
    for (Path file : DiskCacheStoreTest.files(directory)) {
      String name = String.valueOf(file.getFileName());
      if (name.endsWith(".tmp")) {
        Files.delete(file);
      } else if (!name.startsWith("root")) {
        names.add(name);
      }
    }
    return names;
  }

  @ParameterizedTest
  @EnumSource
  void importing(Lasting lasting) throws IOException {
    Path parcel = disk.path(directory.resolve("parcel.kv"));
    KvSnapshot theirs = Snapshots.fork(FIRST, 7, 12);
    failEach(
        lasting,
        60,
        store -> {
          parkAll(store);
          CacheHeader header =
              CacheHeader.agent(
                  BOB, theirs, KvEncoding.EXACT, List.of(), 0, clock.instant(), 1 << 20);
          DurableFiles.replace(
              parcel, channel -> CacheFileWriter.write(channel, header, theirs, null));
        },
        store -> store.importFrom(CacheImport.of(parcel).withReplacing(true)),
        store -> {
          assertSame(parked(ANNA), store.load(ANNA, ALPHA).orElseThrow());
          assertSame(parked(CARL), store.load(CARL, ALPHA).orElseThrow());
          KvSnapshot bob = store.load(BOB, ALPHA).orElseThrow();
          assertSame(bob.tokens()[8] == theirs.tokens()[8] ? theirs : parked(BOB), bob);
        });
    List<CacheEntry> entries = CacheView.of(root).list();
    assertEquals(3, entries.size());
    assertSame(
        theirs,
        SnapshotReader.snapshot(CacheFileNames.file(root, BOB, ALPHA), CacheFormat.usual()));
  }
}
