package dev.semantic.store;

import static dev.semantic.store.DiskCacheStoreTest.assertSays;
import static dev.semantic.store.Snapshots.ALPHA;
import static dev.semantic.store.Snapshots.BETA;
import static dev.semantic.store.Snapshots.MIXED;
import static dev.semantic.store.Snapshots.assertSame;
import static dev.semantic.store.Snapshots.small;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvEncoding;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.memory.ByteSize;
import dev.semantic.store.format.CacheFileNames;
import dev.semantic.store.format.CacheFormat;
import dev.semantic.store.format.SnapshotReader;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A look at a directory that somebody uses, which changes nothing there. */
class CacheViewTest {
  private static final AgentId ANNA = new AgentId("anna");
  private static final AgentId BOB = new AgentId("bob");

  @TempDir Path root;

  private DiskCacheStore open() {
    return DiskCacheStore.open(root, new CacheFormat(CacheStoreContractTest.ticking(), 64, 4));
  }

  @Test
  void everythingIsListed() throws IOException {
    try (DiskCacheStore store = open();
        StandardError log = new StandardError()) {
      store.park(BOB, small(ALPHA, 1));
      store.park(ANNA, small(ALPHA, 2));
      store.park(ANNA, small(BETA, 3));
      store.maintenance().archive(find(store, CacheState.LIVE, ANNA));
      Files.write(CacheFileNames.file(root, ANNA, BETA), new byte[3]);
      store.load(ANNA, BETA);
      Files.writeString(root.resolve("notes.kv"), "mine");
      List<CacheEntry> entries = CacheView.of(root).list();
      assertEquals(
          List.of(CacheState.LIVE, CacheState.ARCHIVED, CacheState.QUARANTINED),
          entries.stream().map(CacheEntry::state).toList());
      assertEquals(Optional.of(store.parked(ALPHA).getFirst()), entries.get(0).cache());
      assertEquals(ANNA, entries.get(1).cache().orElseThrow().agent());
      assertEquals(Optional.empty(), entries.get(2).cache());
      assertTrue(entries.get(2).problem().orElseThrow().contains("3 bytes"));
      CacheDetails details = CacheView.of(root).show(entries.get(0));
      assertEquals(
          new CacheDetails(MIXED, small(ALPHA, 1).precision(), KvEncoding.EXACT, 1, false),
          details);
      assertTrue(log.text().contains("Moved to"), log.text());
    }
  }

  private static CacheEntry find(DiskCacheStore store, CacheState state, AgentId agent) {
    return store.maintenance().list().stream()
        .filter(entry -> entry.state() == state)
        .filter(entry -> entry.cache().filter(cache -> cache.agent().equals(agent)).isPresent())
        .findFirst()
        .orElseThrow();
  }

  @Test
  void verifyingFindsWhatIsWrongAndTouchesNothing() throws IOException {
    try (DiskCacheStore store = open()) {
      store.park(ANNA, small(ALPHA, 1));
      store.park(BOB, small(ALPHA, 2));
      CacheView view = CacheView.of(root);
      for (CacheEntry entry : view.list()) {
        assertEquals(Optional.empty(), view.verify(entry));
      }
      Path file = CacheFileNames.file(root, ANNA, ALPHA);
      byte[] bytes = Files.readAllBytes(file);
      bytes[bytes.length - 30] ^= 2;
      Files.write(file, bytes);
      Path wrong = CacheFileNames.file(root, new AgentId("eve"), ALPHA);
      Files.copy(CacheFileNames.file(root, BOB, ALPHA), wrong);
      List<String> problems = new ArrayList<>();
      for (CacheEntry entry : view.list()) {
        view.verify(entry).ifPresent(problems::add);
      }
      assertEquals(2, problems.size(), problems.toString());
      assertTrue(problems.get(0).contains("should have checksum"), problems.toString());
      assertTrue(problems.get(1).contains("does not belong"), problems.toString());
      assertTrue(Files.exists(file) && Files.exists(wrong));
      assertFalse(Files.exists(root.resolve(".quarantine")));
    }
  }

  @Test
  void aDirectoryThatIsNotThereIsSaid() {
    CacheException missing =
        assertThrows(CacheException.class, () -> CacheView.of(root.resolve("nowhere")));
    assertSays("There is no cache directory", missing);
    assertEquals(List.of(), CacheView.of(root).list());
  }

  @Test
  void anEntryOfSomewhereElseIsRefused() throws IOException {
    Path elsewhere = Files.createDirectories(root.resolve("made").resolve(ALPHA.toString()));
    Path file = Files.writeString(elsewhere.resolve("anna.kv"), "mine");
    Path link = root.resolve(ALPHA.toString()).resolve("link.kv");
    try (DiskCacheStore store = open()) {
      store.park(ANNA, small(ALPHA, 1));
      Files.createSymbolicLink(link, file);
      for (Path path :
          List.of(file, link, root.resolve(ALPHA + "/../made/" + ALPHA + "/anna.kv"))) {
        CacheEntry entry = store.maintenance().list().getFirst();
        CacheEntry forged =
            new CacheEntry(
                CacheState.LIVE, path, entry.size(), entry.used(), entry.cache(), entry.problem());
        assertThrows(IllegalArgumentException.class, () -> store.maintenance().purge(forged));
        assertThrows(IllegalArgumentException.class, () -> store.maintenance().archive(forged));
        assertThrows(IllegalArgumentException.class, () -> store.maintenance().bringBack(forged));
      }
      assertEquals("mine", Files.readString(file));
    }
  }

  @Test
  void agentsAreArchivedBroughtBackAndRemoved() throws IOException {
    try (DiskCacheStore store = open()) {
      KvSnapshot bobs = Snapshots.fork(small(ALPHA, 1), 5, 2);
      store.park(ANNA, small(ALPHA, 1));
      store.park(BOB, bobs);
      store.maintenance().archive(find(store, CacheState.LIVE, ANNA));
      assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
      assertSame(bobs, store.load(BOB, ALPHA).orElseThrow());
      store.maintenance().bringBack(find(store, CacheState.ARCHIVED, ANNA));
      assertSame(small(ALPHA, 1), store.load(ANNA, ALPHA).orElseThrow());
      store.maintenance().archive(find(store, CacheState.LIVE, ANNA));
      assertTrue(store.maintenance().purge(find(store, CacheState.ARCHIVED, ANNA)).bytes() > 0);
      assertSame(bobs, store.load(BOB, ALPHA).orElseThrow());
      store.updateModelTag(ALPHA);
      assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
      ByteSize freed = store.maintenance().purge(find(store, CacheState.LIVE, BOB));
      assertTrue(freed.bytes() > 0);
      assertEquals(List.of(), store.maintenance().list());
    }
  }

  /** Parks one agent over and over, each time with other blocks. */
  public static final class Writer {
    private Writer() {}

    public static void main(String[] arguments) {
      try (DiskCacheStore store =
          DiskCacheStore.open(Path.of(arguments[0]), new CacheFormat(Clock.systemUTC(), 64, 4))) {
        for (int number = 0; ; number++) {
          store.park(ANNA, small(ALPHA, number));
          store.park(new AgentId("agent " + number % 5), small(BETA, number));
          System.out.println(number);
        }
      }
    }
  }

  /** Another process writes as fast as it can; nothing that is seen here is half of something. */
  @Test
  void aServingProcessMayBeLookedAt() throws Exception {
    Path errors = Files.createTempFile("writer", ".log");
    Process writer =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Writer.class.getName(),
                root.toString())
            .redirectError(errors.toFile())
            .start();
    try (BufferedReader says = writer.inputReader()) {
      int first = Integer.parseInt(String.valueOf(says.readLine()));
      CacheException refused = assertThrows(CacheException.class, () -> DiskCacheStore.open(root));
      assertSays("in use by process " + writer.pid(), refused);
      assertSays("CacheView", refused);
      CacheView view = CacheView.of(root);
      int seen = 0;
      for (int round = 0; round < 40; round++) {
        for (CacheEntry entry : view.list()) {
          assertEquals(Optional.empty(), entry.problem(), "round " + round);
          assertEquals(Optional.empty(), view.verify(entry), "round " + round);
          seen++;
        }
      }
      assertTrue(seen >= 40, "there was something to look at");
      Path parcel = root.resolveSibling(root.getFileName() + "-parcel.kv");
      view.export(view.list().getFirst(), parcel);
      assertEquals(ALPHA, SnapshotReader.snapshot(parcel, CacheFormat.usual()).tag());
      Files.delete(parcel);
      String last = says.readLine();
      assertTrue(
          last != null && Integer.parseInt(last) > first,
          "it went on: " + Files.readString(errors));
    } finally {
      writer.toHandle().destroyForcibly();
      writer.waitFor();
      Files.delete(errors);
    }
  }
}
