package dev.semantic.store;

import static dev.semantic.store.Snapshots.ALPHA;
import static dev.semantic.store.Snapshots.assertSame;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvEncoding;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import dev.semantic.store.format.CacheFileException;
import dev.semantic.store.format.CacheFormat;
import dev.semantic.store.format.CacheHeader;
import dev.semantic.store.format.HeaderFields;
import dev.semantic.store.format.SnapshotReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whoever can guess a system prompt can make a file whose tokens are that prompt, and whose keys
 * and values are another text's. It is the cache of the agent that it is imported for, and speaks
 * for nobody else.
 */
class ImportedCacheTest {
  private static final AgentId ANNA = new AgentId("anna");
  private static final AgentId MALLORY = new AgentId("mallory");
  private static final KvLayout FULL = KvLayout.uniform(2, 1, 8);
  private static final KvSnapshot HONEST =
      Snapshots.plausible(ALPHA, FULL, KvPrecision.FLOAT16, 16, 1);
  private static final int[] SYSTEM = HONEST.tokens();

  /** The same tokens, and what another text made of them. */
  private static final KvSnapshot POISON =
      new KvSnapshot(
          ALPHA,
          FULL,
          KvPrecision.FLOAT16,
          SYSTEM,
          Snapshots.plausible(ALPHA, FULL, KvPrecision.FLOAT16, 16, 666).layers());

  @TempDir Path directory;
  private Path root;

  @BeforeEach
  void choose() {
    root = directory.resolve("root");
  }

  static Stream<CacheFormat> forms() {
    CacheFormat plain = new CacheFormat(CacheStoreContractTest.ticking(), 64, 4);
    return Stream.of(
        plain,
        plain.with(KvEncoding.Q8),
        plain.with(CacheKey.of(new byte[CacheKey.BYTES]).files()));
  }

  /** What the attacker hands out. */
  private Path parcel(CacheFormat form, KvSnapshot content) {
    Path away = directory.resolve("away");
    try (DiskCacheStore store = DiskCacheStore.open(away, form)) {
      store.park(MALLORY, content);
    }
    Path file = directory.resolve("present.kv");
    CacheView view = CacheView.of(away, form);
    view.export(view.list().getFirst(), file);
    return file;
  }

  private static Optional<KvSnapshot> beginning(DiskCacheStore store) {
    return store.prefix(ALPHA, KvPrecision.FLOAT16, SYSTEM);
  }

  @ParameterizedTest
  @MethodSource("forms")
  void nobodyElseBeginsWithIt(CacheFormat form) {
    Path parcel = parcel(form, POISON);
    try (DiskCacheStore store = DiskCacheStore.open(root, form)) {
      store.importFrom(CacheImport.of(parcel));
      assertEquals(Optional.empty(), beginning(store));
      assertArrayEquals(SYSTEM, store.load(MALLORY, ALPHA).orElseThrow().tokens());
    }
    try (DiskCacheStore store = DiskCacheStore.open(root, form)) {
      assertEquals(Optional.empty(), beginning(store), "after a restart");
      assertTrue(store.load(MALLORY, ALPHA).orElseThrow().imported());
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatWasComputedHereIsSharedBesideIt(boolean first) {
    CacheFormat form = forms().findFirst().orElseThrow();
    Path parcel = parcel(form, POISON);
    try (DiskCacheStore store = DiskCacheStore.open(root, form)) {
      if (first) {
        store.park(ANNA, HONEST);
      }
      store.importFrom(CacheImport.of(parcel));
      if (!first) {
        store.park(ANNA, HONEST);
      }
      assertSame(HONEST, beginning(store).orElseThrow());
      assertSame(HONEST, store.load(ANNA, ALPHA).orElseThrow());
      assertSame(POISON, store.load(MALLORY, ALPHA).orElseThrow());
      store.remove(ANNA, ALPHA);
      assertEquals(Optional.empty(), beginning(store), "her blocks have gone with her");
      assertSame(POISON, store.load(MALLORY, ALPHA).orElseThrow());
    }
  }

  /** Also the same numbers: who imports cannot know that they are. */
  @Test
  void itRefersToNobodysBlocksAndNobodyToIts() throws Exception {
    CacheFormat form = forms().findFirst().orElseThrow();
    Path parcel = parcel(form, HONEST);
    try (DiskCacheStore store = DiskCacheStore.open(root, form)) {
      store.park(ANNA, HONEST);
      store.importFrom(CacheImport.of(parcel));
      CacheHeader header = SnapshotReader.header(form.file(root, MALLORY, ALPHA), form);
      assertEquals(List.of(), header.agent().blocks());
      store.remove(ANNA, ALPHA);
      assertEquals(Optional.empty(), beginning(store));
      assertSame(HONEST, store.load(MALLORY, ALPHA).orElseThrow());
    }
  }

  @Test
  void whereItComesFromOutlastsBeingParkedArchivedAndExportedAgain() throws Exception {
    CacheFormat form = forms().findFirst().orElseThrow();
    Path parcel = parcel(form, POISON);
    assertFalse(SnapshotReader.header(parcel, form).agent().imported(), "it says nothing");
    try (DiskCacheStore store = DiskCacheStore.open(root, form)) {
      store.importFrom(CacheImport.of(parcel));
      for (int i = 0; i < 2; i++) { // a turn or two later
        store.park(MALLORY, store.load(MALLORY, ALPHA).orElseThrow());
        assertEquals(Optional.empty(), beginning(store));
      }
      store.maintenance().archive(store.maintenance().list().getFirst());
      store.updateModelTag(ALPHA);
      assertTrue(store.load(MALLORY, ALPHA).orElseThrow().imported());
      assertEquals(Optional.empty(), beginning(store));
      Path again = directory.resolve("again.kv");
      CacheView.of(root, form).export(store.maintenance().list().getFirst(), again);
      assertTrue(SnapshotReader.header(again, form).agent().imported());
      store.importFrom(CacheImport.of(again).as(ANNA));
      assertEquals(Optional.empty(), beginning(store));
    }
  }

  /** What came back over a wire, or out of a host's own store, is what its snapshot says. */
  @Test
  void aStoreInMemoryRemembersItToo() {
    MemoryCacheStore store = new MemoryCacheStore();
    store.park(MALLORY, POISON.asImported());
    assertTrue(store.load(MALLORY, ALPHA).orElseThrow().imported());
    assertEquals(Optional.empty(), store.prefix(ALPHA, KvPrecision.FLOAT16, SYSTEM));
  }

  /** The agent computes its prompt again, from the first token on: then it is its own work. */
  @Test
  void aCacheThatIsComputedAnewIsSharedAgain() {
    CacheFormat form = forms().findFirst().orElseThrow();
    Path parcel = parcel(form, POISON);
    try (DiskCacheStore store = DiskCacheStore.open(root, form)) {
      store.importFrom(CacheImport.of(parcel));
      store.park(MALLORY, HONEST);
      assertSame(HONEST, beginning(store).orElseThrow());
    }
  }

  @Test
  void whatIsNeitherTrueNorFalseIsRefused() {
    CacheFileException refused =
        assertThrows(
            CacheFileException.class,
            () ->
                HeaderFields.read(
                    "{\"imported\":\"no\"}".getBytes(StandardCharsets.US_ASCII),
                    root -> HeaderFields.flag(root, "imported")));
    DiskCacheStoreTest.assertSays("'imported' must be true or false", refused);
  }
}
