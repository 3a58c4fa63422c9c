package dev.semantic.store;

import static dev.semantic.store.DiskCacheStoreTest.allFiles;
import static dev.semantic.store.DiskCacheStoreTest.assertSays;
import static dev.semantic.store.DiskCacheStoreTest.files;
import static dev.semantic.store.Snapshots.ALPHA;
import static dev.semantic.store.Snapshots.assertSame;
import static dev.semantic.store.Snapshots.small;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.AgentSnapshot;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.store.disk.Fault;
import dev.semantic.store.disk.FaultyDisk;
import dev.semantic.store.format.CacheFormat;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The first file operation fails, the second, the third, … until a run passes untouched. */
@ParameterizedClass(name = "encrypted: {0}")
@ValueSource(booleans = {false, true})
class FaultyDiskTest {
  private static final AgentId ANNA = new AgentId("anna");

  @Parameter boolean encrypted;

  @TempDir(factory = MemoryDirectory.class)
  Path directory;

  private final FaultyDisk disk = FaultyDisk.create();
  private StandardError log;
  private Path root;

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
    root = directory.resolve("root");
  }

  @AfterEach
  void close() {
    log.close();
  }

  private DiskCacheStore open() {
    return DiskCacheStore.open(disk.path(root), form());
  }

  private CacheFormat form() {
    CacheFormat open = new CacheFormat(Clock.systemUTC(), 64, 4);
    return encrypted ? open.with(EncryptedCacheTest.key(1).files()) : open;
  }

  @ParameterizedTest
  @EnumSource
  void parkingOverAFormerCacheLeavesOneOfThemWhole(Lasting lasting) throws IOException {
    boolean former = false;
    boolean later = false;
    int n = 1;
    for (boolean untouched = false; !untouched; n++) {
      try (DiskCacheStore store = open()) {
        store.park(ANNA, small(ALPHA, 1));
        disk.inject(lasting.at(n));
        boolean acknowledged = false;
        try {
          store.park(ANNA, small(ALPHA, 2));
          untouched = disk.operations().size() < n;
          acknowledged = true;
        } catch (CacheException e) {
          assertSays("anna", e);
          assertSays("injected", e);
        }
        disk.inject(Fault.NONE);
        KvSnapshot found = store.load(ANNA, ALPHA).orElseThrow();
        boolean isLater = found.tokens()[0] == small(ALPHA, 2).tokens()[0];
        assertSame(small(ALPHA, isLater ? 2 : 1), found);
        former |= !isLater;
        later |= isLater;
        assertTrue(isLater || !acknowledged, "acknowledged and not there");
      }
      try (DiskCacheStore store = open()) { // what could not be cleared away then is now
        assertEquals(1, store.parked(ALPHA).size());
      }
      assertEquals(2, allFiles(root.resolve(ALPHA.toString())).size(), "the agent's and a block");
      assertFalse(Files.exists(root.resolve(".quarantine")), "a good cache was put aside");
    }
    assertTrue(former && later && n > 15, "faults before and after the move: " + n);
  }

  @ParameterizedTest
  @EnumSource
  void parkingForTheFirstTimeLeavesAllOrNothing(Lasting lasting) throws IOException {
    int n = 1;
    for (boolean untouched = false; !untouched; n++) {
      root = directory.resolve("root" + n);
      try (DiskCacheStore store = open()) {
        disk.inject(lasting.at(n));
        try {
          store.park(ANNA, small(ALPHA, 2));
          untouched = disk.operations().size() < n;
        } catch (CacheException e) {
          assertSays("injected", e);
        }
        disk.inject(Fault.NONE);
        Optional<KvSnapshot> found = store.load(ANNA, ALPHA);
        found.ifPresent(snapshot -> assertSame(small(ALPHA, 2), snapshot));
        assertTrue(found.isPresent() || !untouched);
        store.park(ANNA, small(ALPHA, 3));
        assertSame(small(ALPHA, 3), store.load(ANNA, ALPHA).orElseThrow());
      }
    }
    assertTrue(n > 15, "too few faults: " + n);
  }

  @ParameterizedTest
  @EnumSource
  void aReadThatFailsIsAMissAndHarmsNothing(Lasting lasting) throws IOException {
    try (DiskCacheStore store = open()) {
      store.park(ANNA, small(ALPHA, 1));
      byte[] before = Files.readAllBytes(form().file(root, ANNA, ALPHA));
      int n = 1;
      for (boolean untouched = false; !untouched; n++) {
        log.clear();
        disk.inject(lasting.at(n));
        Optional<KvSnapshot> found = store.load(ANNA, ALPHA);
        untouched = disk.operations().size() < n;
        assertEquals(untouched, found.isPresent(), disk.operations().toString());
        assertEquals(untouched, log.text().isEmpty(), log.text());
        disk.inject(lasting.at(n));
        store.parked(ALPHA);
        disk.inject(Fault.NONE);
        assertArrayEquals(before, Files.readAllBytes(form().file(root, ANNA, ALPHA)));
      }
      assertTrue(n > 10, "too few faults: " + n);
      assertSame(small(ALPHA, 1), store.load(ANNA, ALPHA).orElseThrow());
    }
  }

  @ParameterizedTest
  @EnumSource
  void aDamagedFileIsAMissEvenIfItCannotBePutAside(Lasting lasting) throws IOException {
    int n = 1;
    for (boolean untouched = false; !untouched; n++) {
      root = directory.resolve("root" + n);
      try (DiskCacheStore store = open()) {
        store.park(ANNA, small(ALPHA, 1));
        Files.write(form().file(root, ANNA, ALPHA), new byte[50]);
        disk.inject(lasting.at(n));
        assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
        untouched = disk.operations().size() < n;
        disk.inject(Fault.NONE);
        assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
        assertEquals(1, files(root.resolve(".quarantine")).size());
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void openingThatFailsLetsGoOfTheDirectory(Lasting lasting) {
    try (DiskCacheStore store = open()) {
      store.park(ANNA, small(ALPHA, 1));
    }
    int n = 1;
    for (boolean untouched = false; !untouched; n++) {
      disk.inject(lasting.at(n));
      try {
        DiskCacheStore store = open();
        untouched = disk.operations().size() < n;
        disk.inject(Fault.NONE);
        store.close();
      } catch (CacheException e) {
        assertSays(root.toString(), e);
        disk.inject(Fault.NONE);
      }
      try (DiskCacheStore store = open()) {
        assertSame(small(ALPHA, 1), store.load(ANNA, ALPHA).orElseThrow());
      }
    }
  }

  @Test
  void aFullDiskLeavesTheFormerCacheAndSaysSo() throws IOException {
    try (DiskCacheStore store = open()) {
      store.park(ANNA, small(ALPHA, 1));
      AtomicInteger writes = new AtomicInteger();
      disk.inject(
          (count, operation) -> {
            if (operation.startsWith("write") && writes.incrementAndGet() > 4) {
              throw new FileSystemException("cache", null, "No space left on device");
            }
          });
      CacheException full =
          assertThrows(CacheException.class, () -> store.park(ANNA, small(ALPHA, 2)));
      assertSays("No space left on device", full);
      assertSays("room on the disk", full);
      assertTrue(writes.get() > 4, "the fault never happened");
      assertSame(small(ALPHA, 1), store.load(ANNA, ALPHA).orElseThrow());
      assertEquals(
          2, allFiles(root.resolve(ALPHA.toString())).size(), "the half-written ones are gone");
    }
  }

  @Test
  void nothingIsAcknowledgedBeforeItIsForced() {
    try (DiskCacheStore store = open()) {
      disk.inject(Fault.NONE);
      store.park(ANNA, small(ALPHA, 1));
      List<String> order =
          disk.operations().stream()
              .map(
                  each ->
                      each.replaceAll("(anna-)?\\w+\\.kv\\.\\S+", "temporary")
                          .replaceAll("\\w+-\\w+\\.kvb\\.\\S+", "block"))
              .filter(each -> !each.matches("(look|list|close).*"))
              .toList();
      for (String written : List.of("block", "temporary")) {
        assertBefore(order, order.lastIndexOf("write " + written), "force " + written);
        assertBefore(order, order.lastIndexOf("force " + written), "move block");
      }
      assertBefore(order, order.lastIndexOf("move block"), "force blocks");
      assertBefore(order, order.indexOf("force blocks"), "move temporary");
      assertBefore(order, order.indexOf("move temporary"), order.lastIndexOf("force " + ALPHA));
      assertBefore(order, order.indexOf("force " + ALPHA), "write block");
      assertBefore(order, order.indexOf("force root"), "write block");
    }
  }

  private static void assertBefore(List<String> order, int one, String other) {
    assertBefore(order, one, order.indexOf(other));
  }

  private static void assertBefore(List<String> order, int one, int other) {
    assertTrue(one >= 0 && one < other, () -> one + " before " + other + " in " + order);
  }

  @ParameterizedTest
  @EnumSource
  void ofABatchEachIsWholeOrWhatItWas(Lasting lasting) {
    List<AgentId> agents = List.of(ANNA, new AgentId("bert"), new AgentId("clara"));
    int n = 1;
    for (boolean untouched = false; !untouched; n++) {
      try (DiskCacheStore store = open()) {
        agents.forEach(agent -> store.park(agent, small(ALPHA, 1)));
        disk.inject(lasting.at(n));
        List<ParkingResult> results =
            store.parkAll(
                agents.stream().map(agent -> new AgentSnapshot(agent, small(ALPHA, 2))).toList());
        untouched = disk.operations().size() < n;
        disk.inject(Fault.NONE);
        for (int i = 0; i < agents.size(); i++) {
          KvSnapshot found = store.load(agents.get(i), ALPHA).orElseThrow();
          boolean later = found.tokens()[0] == small(ALPHA, 2).tokens()[0];
          assertSame(small(ALPHA, later ? 2 : 1), found);
          if (results.get(i) instanceof ParkingResult.Failed(AgentId agent, Throwable why)) {
            assertEquals(agents.get(i), agent);
            assertSays("injected", assertInstanceOf(CacheException.class, why));
          } else {
            assertTrue(later, "acknowledged and not there");
          }
        }
      }
    }
    assertTrue(n > 20, "too few faults: " + n);
    assertFalse(Files.exists(root.resolve(".quarantine")), "a good cache was put aside");
  }
}
