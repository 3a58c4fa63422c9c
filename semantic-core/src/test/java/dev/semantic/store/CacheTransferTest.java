package dev.semantic.store;

import static dev.semantic.store.DiskCacheStoreTest.allFiles;
import static dev.semantic.store.DiskCacheStoreTest.assertSays;
import static dev.semantic.store.Snapshots.ALPHA;
import static dev.semantic.store.Snapshots.BETA;
import static dev.semantic.store.Snapshots.MIXED;
import static dev.semantic.store.Snapshots.assertSame;
import static dev.semantic.store.Snapshots.small;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelTag;
import dev.semantic.store.format.CacheFileNames;
import dev.semantic.store.format.CacheFormat;
import dev.semantic.store.format.SnapshotReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One agent goes from one directory to another as one file, whole or not at all. */
class CacheTransferTest {
  private static final AgentId ANNA = new AgentId("../anna");
  private static final AgentId BOB = new AgentId("bob");
  private static final KvSnapshot LONG = Snapshots.of(ALPHA, MIXED, KvPrecision.BFLOAT16, 21, 1);

  @TempDir Path directory;
  private Path here;
  private Path there;
  private Path parcel;
  private DiskCacheStore from;
  private DiskCacheStore to;

  @BeforeEach
  void open() {
    here = directory.resolve("here");
    there = directory.resolve("there");
    parcel = directory.resolve("parcel.kv");
    from = DiskCacheStore.open(here, form());
    to = DiskCacheStore.open(there, form());
    from.park(ANNA, LONG);
    from.park(BOB, Snapshots.fork(LONG, 10, 2));
  }

  private static CacheFormat form() {
    return new CacheFormat(CacheStoreContractTest.ticking(), 64, 4);
  }

  @AfterEach
  void close() {
    from.close();
    to.close();
  }

  private void export() {
    export(from, ANNA);
  }

  private void export(DiskCacheStore store, AgentId agent) {
    CacheEntry entry =
        store.maintenance().list().stream()
            .filter(each -> each.cache().orElseThrow().agent().equals(agent))
            .findFirst()
            .orElseThrow();
    CacheView.of(here).export(entry, parcel);
  }

  private CacheException refused(CacheImport parcel) throws IOException {
    Map<Path, byte[]> before = content();
    CacheException refused = assertThrows(CacheException.class, () -> to.importFrom(parcel));
    Map<Path, byte[]> after = content();
    assertEquals(before.keySet(), after.keySet());
    before.forEach((file, bytes) -> assertArrayEquals(bytes, after.get(file)));
    assertSays("Nothing has changed", refused);
    assertSays(parcel.file().toString(), refused);
    return refused;
  }

  private Map<Path, byte[]> content() throws IOException {
    Map<Path, byte[]> content = new LinkedHashMap<>();
    for (Path file : allFiles(there)) {
      content.put(file, Files.readAllBytes(file));
    }
    return content;
  }

  @Test
  void anAgentArrivesWhole() throws IOException {
    export();
    ParkedCache imported = to.importFrom(CacheImport.of(parcel));
    assertEquals(ANNA, imported.agent());
    assertEquals(21, imported.tokens());
    assertSame(LONG, to.load(ANNA, ALPHA).orElseThrow());
    assertEquals(1, to.parked(ALPHA).size());
    Path blocks = there.resolve(ALPHA.toString()).resolve(CacheFileNames.BLOCKS);
    assertFalse(Files.exists(blocks), "nobody shares what was imported");
  }

  @Test
  void itIsOneFileThatTheStoresOwnReaderReads() throws IOException {
    assumeTrue(directory.getFileSystem().supportedFileAttributeViews().contains("posix"));
    export();
    assertSame(LONG, SnapshotReader.snapshot(parcel, CacheFormat.usual()));
    assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(parcel)));
    assertEquals(
        from.parked(ALPHA).getLast().when(),
        SnapshotReader.header(parcel, CacheFormat.usual()).parked());
  }

  @Test
  void itMayBeForAnotherAgent() throws IOException {
    export();
    to.importFrom(CacheImport.of(parcel).as(BOB));
    assertSame(LONG, to.load(BOB, ALPHA).orElseThrow());
    assertEquals(Optional.empty(), to.load(ANNA, ALPHA));
  }

  @Test
  void whatIsThereIsNotReplacedUnasked() throws IOException {
    export();
    to.park(ANNA, small(ALPHA, 5));
    assertSays("has a cache of this model already", refused(CacheImport.of(parcel)));
    assertSame(small(ALPHA, 5), to.load(ANNA, ALPHA).orElseThrow());
    to.importFrom(CacheImport.of(parcel).withReplacing(true));
    assertSame(LONG, to.load(ANNA, ALPHA).orElseThrow());
  }

  @Test
  void whatIsArchivedIsNotReplacedUnasked() throws IOException {
    export();
    to.park(ANNA, small(ALPHA, 5));
    to.maintenance().archive(to.maintenance().list().getFirst());
    assertSays(".archive", refused(CacheImport.of(parcel)));
  }

  @Test
  void anotherModelsIsRefused() throws IOException {
    export();
    CacheException refused = refused(CacheImport.of(parcel).expecting(BETA));
    assertSays(ALPHA.fingerprint(), refused);
    assertSays(BETA.fingerprint(), refused);
    assertSays("let the agent compute its prompt again", refused);
    to.importFrom(CacheImport.of(parcel).expecting(ALPHA));
  }

  /** The same name, other weights: another quantisation, say. */
  @Test
  void aNamesakesIsRefusedUnlessItIsExpected() throws IOException {
    export();
    ModelTag namesake = new ModelTag(ALPHA.model(), "c3".repeat(32));
    to.park(BOB, small(namesake, 1));
    assertSays(namesake.fingerprint(), refused(CacheImport.of(parcel)));
    to.importFrom(CacheImport.of(parcel).expecting(ALPHA));
    to.importFrom(CacheImport.of(parcel).withReplacing(true)); // both are here now
  }

  @Test
  void aFileOfADirectoryIsNotEnough() throws IOException {
    Path own = CacheFileNames.file(here, ANNA, ALPHA);
    assertSays("its 5 blocks lie elsewhere", refused(CacheImport.of(own)));
    Path block = allFiles(here.resolve(ALPHA.toString()).resolve("blocks")).getFirst();
    assertSays("it is a block", refused(CacheImport.of(block)));
    assertSays("nowhere.kv", refused(CacheImport.of(directory.resolve("nowhere.kv"))));
    refused(CacheImport.of(directory));
  }

  @Test
  void everyBitCounts() throws IOException {
    from.park(BOB, small(ALPHA, 3));
    export(from, BOB);
    to.park(BOB, small(ALPHA, 4));
    byte[] good = Files.readAllBytes(parcel);
    CacheImport replacing = CacheImport.of(parcel).withReplacing(true);
    for (int i = 0; i < good.length; i++) {
      byte[] bad = good.clone();
      bad[i] ^= (byte) (1 << (i % 8));
      Files.write(parcel, bad);
      refusedQuickly(replacing, i);
    }
    for (int length = 0; length < good.length; length++) {
      Files.write(parcel, Arrays.copyOf(good, length));
      refusedQuickly(replacing, length);
    }
    assertSame(small(ALPHA, 4), to.load(BOB, ALPHA).orElseThrow());
    Files.write(parcel, good);
    to.importFrom(replacing);
    assertSame(small(ALPHA, 3), to.load(BOB, ALPHA).orElseThrow());
  }

  private void refusedQuickly(CacheImport parcel, int at) {
    assertThrows(CacheException.class, () -> to.importFrom(parcel), () -> "byte " + at);
  }

  @Test
  void aDamagedCacheIsNotExported() throws IOException {
    Path block = allFiles(here.resolve(ALPHA.toString()).resolve("blocks")).getFirst();
    byte[] bytes = Files.readAllBytes(block);
    bytes[bytes.length - 20] ^= 4;
    Files.write(block, bytes);
    int refused = 0;
    for (AgentId agent : List.of(ANNA, BOB)) {
      try {
        export(from, agent);
      } catch (CacheException e) {
        refused++;
        assertSays("Is it whole", e);
      }
    }
    assertTrue(refused > 0, "somebody has that block");
    assertTrue(Files.exists(block), "looking changes nothing");
  }
}
