package dev.semantic.store;

import static dev.semantic.store.Snapshots.ALPHA;
import static dev.semantic.store.Snapshots.BETA;
import static dev.semantic.store.Snapshots.assertSame;
import static dev.semantic.store.Snapshots.small;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.semantic.io.DurableFiles;
import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.model.ModelTag;
import dev.semantic.store.format.CacheFileNames;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the files lie, whose they are, and what happens when they are not what they should be. */
class DiskCacheStoreTest {
  private static final AgentId ANNA = new AgentId("anna");

  @TempDir Path directory;
  private Path root;
  private DiskCacheStore store;
  private StandardError log;

  @BeforeEach
  void open() {
    root = directory.resolve("made/by the store");
    store = DiskCacheStore.open(root);
    log = new StandardError();
  }

  @AfterEach
  void close() {
    log.close();
    store.close();
  }

  @Test
  void aRestartFindsEverything() {
    store.park(ANNA, small(ALPHA, 1));
    ParkedCache parked = store.parked(ALPHA).getFirst();
    store.close();
    store = DiskCacheStore.open(root);
    assertSame(small(ALPHA, 1), store.load(ANNA, ALPHA).orElseThrow());
    assertEquals(List.of(parked), store.parked(ALPHA));
    assertEquals("", log.text(), "a good cache needs no words");
  }

  /** None may leave its directory, meet another, or come back as somebody else. */
  @Test
  void anAgentMayBeCalledAnything() throws IOException {
    List<String> names =
        List.of(
            "../x",
            "..",
            ".",
            "/etc/passwd",
            "a/b",
            "a\\b",
            "a:b",
            "CON",
            "nul.kv",
            "x\0y",
            "x",
            "X",
            "é",
            "e\u0301",
            "名前",
            "\uD83D\uDE00",
            "\uD83D",
            "\uDE00",
            "?",
            "line\nbreak",
            "trailing. ",
            "~",
            "-rf",
            "*",
            "a".repeat(1000),
            "a".repeat(999) + "b",
            "\u202Eabc",
            ".quarantine",
            ".lock",
            "İ",
            "i");
    for (int i = 0; i < names.size(); i++) {
      store.park(new AgentId(names.get(i)), small(ALPHA, i));
    }
    for (int i = 0; i < names.size(); i++) {
      assertSame(small(ALPHA, i), store.load(new AgentId(names.get(i)), ALPHA).orElseThrow());
    }
    List<Path> files = files(root.resolve(ALPHA.toString()));
    assertEquals(names.size(), files.size());
    long distinct =
        files.stream()
            .map(f -> f.getFileName().toString().toLowerCase(Locale.ROOT))
            .distinct()
            .count();
    assertEquals(names.size(), distinct, "on a case-insensitive file system");
    assertTrue(
        files.stream().allMatch(f -> f.getFileName().toString().matches("[a-z0-9.-]{1,90}")));
    assertEquals(
        names.stream().sorted().toList(),
        store.parked(ALPHA).stream().map(cache -> cache.agent().name()).sorted().toList());
    assertEquals(
        List.of("made"), files(directory).stream().map(p -> p.getFileName().toString()).toList());
  }

  @Test
  void tagsThatShareADirectoryShareNoFile() {
    String start = "0123456789abcdef";
    ModelTag one = new ModelTag("alpha", start + "0".repeat(48));
    ModelTag other = new ModelTag("alpha", start + "1".repeat(48));
    store.park(ANNA, small(one, 1));
    assertEquals(Optional.empty(), store.load(ANNA, other));
    store.park(ANNA, small(other, 2));
    assertSame(small(one, 1), store.load(ANNA, one).orElseThrow());
    assertSame(small(other, 2), store.load(ANNA, other).orElseThrow());
    assertEquals(List.of(one), store.parked(one).stream().map(ParkedCache::tag).toList());
  }

  @Test
  void whatIsParkedIsForItsOwnerOnly() throws IOException {
    assumeTrue(root.getFileSystem().supportedFileAttributeViews().contains("posix"));
    store.park(ANNA, small(ALPHA, 1));
    Files.write(CacheFileNames.file(root, ANNA, ALPHA), new byte[3]);
    store.load(ANNA, ALPHA); // makes the quarantine
    store.park(ANNA, small(ALPHA, 1));
    try (Stream<Path> all = Files.walk(root)) {
      List<Path> found = all.toList();
      assertEquals(6, found.size(), "root, lock, tag, cache, quarantine, quarantined: " + found);
      for (Path path : found) {
        assertEquals(
            Files.isDirectory(path) ? "rwx------" : "rw-------",
            PosixFilePermissions.toString(Files.getPosixFilePermissions(path)),
            path.toString());
      }
    }
  }

  @Test
  void anotherModelsFileUnderThisNameIsNeverUsed() throws IOException {
    store.park(ANNA, small(ALPHA, 1));
    Path right = CacheFileNames.file(root, ANNA, ALPHA);
    Path wrong = CacheFileNames.file(root, ANNA, BETA);
    Files.createDirectories(CacheFileNames.directory(root, BETA));
    Files.copy(right, wrong);
    assertEquals(List.of(), store.parked(BETA));
    assertQuarantined(wrong, "does not belong under this name");
    Files.copy(right, wrong);
    log.clear();
    assertEquals(Optional.empty(), store.load(ANNA, BETA));
    assertQuarantined(wrong, "it holds anna's cache of alpha-a1a1a1a1a1a1a1a1");
    assertSame(small(ALPHA, 1), store.load(ANNA, ALPHA).orElseThrow());
  }

  @Test
  void anotherAgentsFileUnderThisNameIsNeverUsed() throws IOException {
    AgentId eve = new AgentId("eve");
    store.park(ANNA, small(ALPHA, 1));
    Path wrong = CacheFileNames.file(root, eve, ALPHA);
    Files.copy(CacheFileNames.file(root, ANNA, ALPHA), wrong);
    assertEquals(Optional.empty(), store.load(eve, ALPHA));
    assertQuarantined(wrong, "it holds anna's cache");
  }

  @Test
  void anotherReleasesFileStays() throws IOException {
    store.park(ANNA, small(ALPHA, 1));
    Path file = CacheFileNames.file(root, ANNA, ALPHA);
    for (int version : new int[] {0, 2, 77, -1}) {
      byte[] bytes = Files.readAllBytes(file);
      ByteBuffer.wrap(bytes)
          .order(ByteOrder.LITTLE_ENDIAN)
          .putInt(8, version)
          .putInt(20, crc(bytes, 20));
      Files.write(file, bytes);
      log.clear();
      assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
      assertEquals(List.of(), store.parked(ALPHA));
      assertTrue(log.text().contains("format version " + version), log.text());
      assertTrue(log.text().contains("reads version 3"), log.text());
      assertTrue(Files.exists(file));
    }
    store.park(ANNA, small(ALPHA, 2));
    assertSame(small(ALPHA, 2), store.load(ANNA, ALPHA).orElseThrow());
  }

  @Test
  void aFileThatCannotBeReadStays() throws IOException {
    store.park(ANNA, small(ALPHA, 1));
    Path file = CacheFileNames.file(root, ANNA, ALPHA);
    Files.delete(file);
    Files.createDirectory(file); // unreadable for root, too
    assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
    assertTrue(log.text().contains("Cannot read cache " + file), log.text());
    assertTrue(Files.exists(file));
    assertThrows(CacheException.class, () -> store.park(ANNA, small(ALPHA, 2)));
    assertEquals(
        List.of(file), files(CacheFileNames.directory(root, ALPHA)), "nothing half-written stays");
  }

  @Test
  void aRootThatVanishesIsSaidAndNotReplaced() throws IOException {
    store.park(ANNA, small(ALPHA, 1));
    Path elsewhere = directory.resolve("elsewhere");
    Files.move(root, elsewhere);
    assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
    assertEquals(List.of(), store.parked(ALPHA));
    store.remove(ANNA, ALPHA);
    CacheException refused =
        assertThrows(CacheException.class, () -> store.park(ANNA, small(ALPHA, 2)));
    assertSays(root.toString(), refused);
    assertSays("anna", refused);
    assertFalse(Files.exists(root), "two stores could work in two places of one name");
    Files.move(elsewhere, root);
    assertSame(small(ALPHA, 1), store.load(ANNA, ALPHA).orElseThrow());
  }

  @Test
  void aRootThatIsNoDirectoryIsRefused() throws IOException {
    Path file = Files.createFile(directory.resolve("file"));
    for (Path bad : List.of(file, file.resolve("below"))) {
      CacheException refused = assertThrows(CacheException.class, () -> DiskCacheStore.open(bad));
      assertSays(bad.toString(), refused);
    }
  }

  @Test
  void aSecondStoreInThisProcessIsRefused() throws IOException {
    Path link = Files.createSymbolicLink(directory.resolve("link"), root);
    for (Path same : List.of(root, root.resolve("."), link)) {
      CacheException refused = assertThrows(CacheException.class, () -> DiskCacheStore.open(same));
      assertSays("in use by this process", refused);
    }
    store.close();
    store.close();
    store = DiskCacheStore.open(root);
  }

  @Test
  void aClosedStoreSaysSo() {
    store.park(ANNA, small(ALPHA, 1));
    store.close();
    var closed = assertThrows(IllegalStateException.class, () -> store.park(ANNA, small(ALPHA, 2)));
    assertSays("is closed", closed);
    assertThrows(IllegalStateException.class, () -> store.load(ANNA, ALPHA));
    assertThrows(IllegalStateException.class, () -> store.remove(ANNA, ALPHA));
  }

  @Test
  void openingClearsAwayWhatKilledWritersLeft() throws IOException {
    store.park(ANNA, small(ALPHA, 1));
    Path file = CacheFileNames.file(root, ANNA, ALPHA);
    store.close();
    Files.copy(file, DurableFiles.temporary(file));
    Files.write(DurableFiles.temporary(file), new byte[10]);
    store = DiskCacheStore.open(root);
    assertEquals(List.of(file), files(CacheFileNames.directory(root, ALPHA)));
    assertSame(small(ALPHA, 1), store.load(ANNA, ALPHA).orElseThrow());
  }

  @Test
  void anInterruptStopsNothingAndStaysPending() {
    Thread.currentThread().interrupt();
    store.park(ANNA, small(ALPHA, 1));
    assertTrue(Thread.currentThread().isInterrupted());
    assertSame(small(ALPHA, 1), store.load(ANNA, ALPHA).orElseThrow());
    assertTrue(Thread.interrupted());
  }

  @Test
  void interruptsInTheMiddleLoseNothing() throws Exception {
    Thread worker = Thread.currentThread();
    Thread pest =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!Thread.interrupted()) {
                    worker.interrupt();
                    LockSupport.parkNanos(5_000_000);
                  }
                });
    for (int i = 0; i < 50; i++) {
      store.park(ANNA, small(ALPHA, i));
      assertSame(small(ALPHA, i), store.load(ANNA, ALPHA).orElseThrow());
    }
    pest.interrupt();
    await().until(() -> !pest.isAlive());
    Thread.interrupted();
    assertEquals(1, files(CacheFileNames.directory(root, ALPHA)).size());
  }

  @Test
  void buffersOfAnyKindCanBeParked() {
    KvSnapshot heap = small(ALPHA, 1);
    List<KvSnapshot.LayerKv> direct = new ArrayList<>();
    for (KvSnapshot.LayerKv layer : heap.layers()) {
      direct.add(
          new KvSnapshot.LayerKv(
              layer.start(), layer.length(), direct(layer.keys()), direct(layer.values())));
    }
    store.park(ANNA, new KvSnapshot(ALPHA, heap.layout(), heap.precision(), heap.tokens(), direct));
    assertSame(heap, store.load(ANNA, ALPHA).orElseThrow());
    assertNotEquals(0, direct.getFirst().keys().remaining(), "parking uses nothing up");
  }

  /** In the middle of a larger buffer outside the heap. */
  private static ByteBuffer direct(ByteBuffer bytes) {
    ByteBuffer copy = ByteBuffer.allocateDirect(bytes.remaining() + 10).position(3);
    int end = 3 + bytes.remaining();
    return copy.put(bytes).position(3).limit(end);
  }

  private void assertQuarantined(Path file, String why) throws IOException {
    assertFalse(Files.exists(file));
    assertTrue(log.text().contains(file.toString()), log.text());
    assertTrue(log.text().contains(why), log.text());
    List<Path> quarantined = files(root.resolve(".quarantine"));
    assertTrue(
        quarantined.getFirst().toString().endsWith(file.getFileName().toString()),
        quarantined.toString());
    for (Path each : quarantined) {
      Files.move(each, directory.resolve("spare"), StandardCopyOption.REPLACE_EXISTING);
      Files.delete(directory.resolve("spare"));
    }
  }

  static void assertSays(String what, Throwable who) {
    assertTrue(String.valueOf(who.getMessage()).contains(what), who::toString);
  }

  static int crc(byte[] bytes, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }

  static List<Path> files(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().toList();
    }
  }

  /** The files in a directory and in those below it. */
  static List<Path> allFiles(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files.filter(Files::isRegularFile).sorted().toList();
    }
  }
}
