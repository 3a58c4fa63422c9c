package dev.semantic.store;

import static dev.semantic.store.DiskCacheStoreTest.allFiles;
import static dev.semantic.store.Snapshots.ALPHA;
import static dev.semantic.store.Snapshots.BETA;
import static dev.semantic.store.Snapshots.MIXED;
import static dev.semantic.store.Snapshots.assertSame;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelTag;
import dev.semantic.store.directory.RootLayout;
import dev.semantic.store.format.CacheFileNames;
import dev.semantic.store.format.CacheFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Blocks of keys and values that several agents' files refer to. */
class SharedBlocksTest {
  private static final AgentId ANNA = new AgentId("anna");
  private static final AgentId BERT = new AgentId("bert");
  private static final AgentId CARL = new AgentId("carl");
  private static final KvLayout FULL = KvLayout.uniform(2, 2, 4);

  /** Of 22 tokens: five blocks of four, and a rest of two. */
  private static final KvSnapshot LONG = Snapshots.of(ALPHA, FULL, KvPrecision.FLOAT32, 22, 1);

  @TempDir Path root;
  private DiskCacheStore store;

  @BeforeEach
  void open() {
    store = DiskCacheStore.open(root, new CacheFormat(CacheStoreContractTest.ticking(), 64, 4));
  }

  @AfterEach
  void close() {
    store.close();
  }

  private List<Path> blocks() throws IOException {
    Path directory = root.resolve(ALPHA.toString());
    if (!Files.exists(directory)) {
      return List.of(); // it goes with the last one
    }
    return allFiles(directory).stream().filter(file -> file.toString().endsWith(".kvb")).toList();
  }

  @Test
  void agentsThatBeginAlikeHoldItOnce() throws IOException {
    KvSnapshot other = Snapshots.fork(LONG, 10, 2);
    store.park(ANNA, LONG);
    assertEquals(5, blocks().size());
    store.park(BERT, other);
    assertEquals(8, blocks().size(), "two blocks of ten tokens are shared");
    store.park(CARL, LONG);
    assertEquals(8, blocks().size());
    assertSame(LONG, store.load(ANNA, ALPHA).orElseThrow());
    assertSame(other, store.load(BERT, ALPHA).orElseThrow());
    assertSame(LONG, store.load(CARL, ALPHA).orElseThrow());
  }

  @Test
  void whatIsThereIsNotWrittenAgain() throws IOException {
    store.park(ANNA, Snapshots.of(ALPHA, FULL, KvPrecision.FLOAT32, 22, 1));
    List<Path> before = blocks();
    for (Path block : before) {
      Files.setLastModifiedTime(block, FileTime.fromMillis(1));
    }
    store.park(ANNA, Snapshots.fork(LONG, 20, 2));
    assertEquals(before, blocks());
    for (Path block : before) {
      assertEquals(1, Files.getLastModifiedTime(block).toMillis(), "written again");
    }
  }

  @Test
  void theLastOneTakesABlockAlong() throws IOException {
    store.park(ANNA, LONG);
    store.park(BERT, Snapshots.fork(LONG, 10, 2));
    store.remove(ANNA, ALPHA);
    assertEquals(5, blocks().size());
    assertSame(Snapshots.fork(LONG, 10, 2), store.load(BERT, ALPHA).orElseThrow());
    store.park(BERT, Snapshots.fork(LONG, 5, 3));
    assertEquals(5, blocks().size());
    store.remove(BERT, ALPHA);
    assertEquals(List.of(), blocks());
  }

  /** What macOS, file managers and people leave there is never used, counted or removed. */
  @Test
  void strangersInADirectoryAreLeftAside() throws IOException {
    store.park(ANNA, LONG);
    Path model = root.resolve(ALPHA.toString());
    Path agent = store.parked(ALPHA).size() == 1 ? RootLayout.agents(model).getFirst() : model;
    Path block = blocks().getFirst();
    Path sizes = root.resolve(ALPHA.toString()).resolve(CacheFileNames.BLOCKS);
    List<Path> strangers =
        List.of(
            model.resolve("._" + agent.getFileName()),
            model.resolve("Copy of " + agent.getFileName()),
            model.resolve("notes.kv"),
            model.resolve(".DS_Store"),
            sizes.resolve("._" + block.getFileName()),
            sizes.resolve("notes.kvb"),
            sizes.resolve("Thumbs.db"));
    for (Path stranger : strangers) {
      Files.writeString(stranger, "mine");
    }
    Path directory = Files.createDirectory(model.resolve("0".repeat(32) + ".kv"));
    store.close();
    open();
    assertEquals(1, store.parked(ALPHA).size());
    assertSame(LONG, store.load(ANNA, ALPHA).orElseThrow());
    store.remove(ANNA, ALPHA);
    assertEquals(
        List.of(),
        blocks().stream().filter(file -> !strangers.contains(file)).toList(),
        "they keep no block either");
    for (Path stranger : strangers) {
      assertEquals("mine", Files.readString(stranger));
    }
    assertTrue(Files.isDirectory(directory));
  }

  @Test
  void theSameTokensComputedOtherwiseAreAnotherBlock() throws IOException {
    KvSnapshot otherwise =
        new KvSnapshot(
            ALPHA,
            FULL,
            KvPrecision.FLOAT32,
            LONG.tokens(),
            Snapshots.of(ALPHA, FULL, KvPrecision.FLOAT32, 22, 2).layers());
    store.park(ANNA, LONG);
    store.park(BERT, otherwise);
    assertEquals(10, blocks().size());
    assertSame(LONG, store.load(ANNA, ALPHA).orElseThrow());
    assertSame(otherwise, store.load(BERT, ALPHA).orElseThrow());
  }

  @Test
  void anotherModelSharesNothing() throws IOException {
    ModelTag near = new ModelTag("alpha", ALPHA.fingerprint().substring(0, 63) + "2");
    for (ModelTag tag : List.of(ALPHA, near, BETA)) {
      store.park(ANNA, Snapshots.of(tag, FULL, KvPrecision.FLOAT32, 22, 1));
    }
    assertEquals(10, blocks().size(), "two models share a directory and no block");
    for (ModelTag tag : List.of(ALPHA, near, BETA)) {
      assertEquals(tag, store.load(ANNA, tag).orElseThrow().tag());
    }
    store.remove(ANNA, near);
    assertEquals(Optional.empty(), store.prefix(near, KvPrecision.FLOAT32, LONG.tokens()));
    assertSame(LONG, store.load(ANNA, ALPHA).orElseThrow());
  }

  @Test
  void aBeginningIsFoundWhoeverParkedIt() {
    store.park(ANNA, LONG);
    int[] tokens = Arrays.copyOf(LONG.tokens(), 18);
    tokens[13]++;
    KvSnapshot found = store.prefix(ALPHA, KvPrecision.FLOAT32, tokens).orElseThrow();
    assertArrayEquals(Arrays.copyOf(LONG.tokens(), 12), found.tokens());
    for (int layer = 0; layer < 2; layer++) {
      for (int head = 0; head < 2; head++) {
        assertEquals(
            LONG.layers().get(layer).keys().slice(head * 22 * 16, 12 * 16),
            found.layers().get(layer).keys().slice(head * 12 * 16, 12 * 16));
      }
    }
    tokens[0]++;
    assertEquals(Optional.empty(), store.prefix(ALPHA, KvPrecision.FLOAT32, tokens));
    assertEquals(Optional.empty(), store.prefix(ALPHA, KvPrecision.FLOAT16, LONG.tokens()));
  }

  @Test
  void windowsAreNotKeptForOthers() {
    KvSnapshot mixed = Snapshots.of(ALPHA, MIXED, KvPrecision.FLOAT16, 22, 1);
    store.park(ANNA, mixed);
    assertEquals(Optional.empty(), store.prefix(ALPHA, KvPrecision.FLOAT16, mixed.tokens()));
    assertSame(mixed, store.load(ANNA, ALPHA).orElseThrow());
  }

  @Test
  void aRestartKnowsWhatIsShared() throws IOException {
    store.park(ANNA, LONG);
    store.park(BERT, Snapshots.fork(LONG, 10, 2));
    store.close();
    open();
    store.remove(ANNA, ALPHA);
    assertSame(Snapshots.fork(LONG, 10, 2), store.load(BERT, ALPHA).orElseThrow());
    assertEquals(5, blocks().size());
  }

  @Test
  void aRestartSweepsWhatNobodyRefersTo() throws IOException {
    store.park(ANNA, LONG);
    Path own = CacheFileNames.file(root, ANNA, ALPHA);
    store.close();
    Files.delete(own);
    open();
    assertEquals(List.of(), store.parked(ALPHA));
    assertEquals(List.of(), blocks());
  }

  @Test
  void whatCannotBeReadKeepsItsBlocks() throws IOException {
    store.park(ANNA, LONG);
    store.park(BERT, Snapshots.of(ALPHA, FULL, KvPrecision.FLOAT32, 22, 5));
    store.close();
    byte[] later = Files.readAllBytes(CacheFileNames.file(root, ANNA, ALPHA));
    later[8] = 99; // as another release might write it
    Files.write(CacheFileNames.file(root, ANNA, ALPHA), later);
    open();
    store.remove(BERT, ALPHA);
    assertEquals(10, blocks().size());
  }

  @Test
  void whatIsHotHealsADamagedBlock() throws IOException {
    store.park(ANNA, LONG);
    Path block = blocks().get(2);
    byte[] good = Files.readAllBytes(block);
    byte[] bad = good.clone();
    bad[bad.length / 2] ^= 1;
    Files.write(block, bad);
    assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
    assertFalse(Files.exists(block), "put aside");
    store.park(ANNA, LONG);
    assertEquals(5, blocks().size());
    assertSame(LONG, store.load(ANNA, ALPHA).orElseThrow());
  }

  @Test
  void aMissingBlockIsAMissAndTheNextParkingMendsIt() throws IOException {
    store.park(ANNA, LONG);
    store.park(BERT, LONG);
    Files.delete(blocks().get(1));
    assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
    store.park(ANNA, LONG);
    assertEquals(5, blocks().size());
    assertSame(LONG, store.load(BERT, ALPHA).orElseThrow());
  }

  @Test
  void aBlockUnderAnothersNameIsAMiss() throws IOException {
    store.park(ANNA, LONG);
    List<Path> all = blocks();
    Files.write(all.get(0), Files.readAllBytes(all.get(1)));
    assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
    assertTrue(Files.exists(root.resolve(".quarantine")));
  }

  @Test
  void seamsComeBack() {
    KvSnapshot parted =
        new KvSnapshot(
            ALPHA, FULL, KvPrecision.FLOAT32, LONG.tokens(), LONG.layers(), List.of(3, 12));
    store.park(ANNA, parted);
    assertSame(parted, store.load(ANNA, ALPHA).orElseThrow());
  }
}
