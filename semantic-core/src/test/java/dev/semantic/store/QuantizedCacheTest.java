package dev.semantic.store;

import static dev.semantic.store.DiskCacheStoreTest.allFiles;
import static dev.semantic.store.Snapshots.ALPHA;
import static dev.semantic.store.Snapshots.assertSame;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvEncoding;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.kv.KvSnapshot.LayerKv;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvLayout.Layer;
import dev.semantic.model.KvPrecision;
import dev.semantic.store.format.CacheFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Caches that are kept in 8 or 4 bits a number. */
class QuantizedCacheTest {
  private static final AgentId ANNA = new AgentId("anna");
  private static final AgentId BERT = new AgentId("bert");

  /** Heads of every kind, and windows that tokens slide through. */
  private static final KvLayout LAYOUT =
      new KvLayout(
          List.of(
              new Layer(2, 64, 0),
              new Layer(1, 80, 0),
              new Layer(1, 80, 5),
              new Layer(3, 7, 6),
              new Layer(1, 32, 0)));

  @TempDir Path root;

  private DiskCacheStore open(KvEncoding encoding) {
    return DiskCacheStore.open(
        root, new CacheFormat(CacheStoreContractTest.ticking(), 64, 4).with(encoding));
  }

  /** Files by their names; the time of parking is masked. */
  private Map<String, String> content() throws IOException {
    Map<String, String> content = new TreeMap<>();
    for (Path file : allFiles(root.resolve(ALPHA.toString()))) {
      // Behind the header, whose checksum is in front of it and in the seal.
      byte[] bytes = Files.readAllBytes(file);
      int header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(12);
      ByteBuffer body = ByteBuffer.wrap(bytes, 24 + header, bytes.length - 28 - header);
      content.put(file.getFileName().toString(), body.remaining() + ":" + body.hashCode());
    }
    return content;
  }

  /** Turn by turn, each in another process: what was parked before is not touched again. */
  @ParameterizedTest
  @MethodSource("dev.semantic.store.format.QuantizedRowsTest#forms")
  void whatIsParkedAgainIsTheSame(KvEncoding encoding, KvPrecision precision) throws IOException {
    KvSnapshot snapshot = Snapshots.plausible(ALPHA, LAYOUT, precision, 11, 1);
    for (int turn = 0; turn < 5; turn++) {
      try (DiskCacheStore store = open(encoding)) {
        store.park(ANNA, snapshot);
      }
      Map<String, String> before = content();
      KvSnapshot restored;
      try (DiskCacheStore store = open(encoding)) {
        restored = store.load(ANNA, ALPHA).orElseThrow();
        assertClose(snapshot, restored);
        store.park(ANNA, restored);
        assertEquals(before, content(), "turn " + turn);
        assertSame(restored, store.load(ANNA, ALPHA).orElseThrow());
      }
      snapshot =
          Snapshots.joined(restored, Snapshots.plausible(ALPHA, LAYOUT, precision, 3, turn + 2));
      try (DiskCacheStore store = open(encoding)) {
        store.park(ANNA, snapshot);
      }
      before.keySet().removeIf(name -> !name.endsWith(".kvb"));
      Map<String, String> after = content();
      before.forEach((name, body) -> assertEquals(body, after.get(name), "a block of before"));
    }
    assertEquals(26 / 4, content().size() - 1);
  }

  /** Numbers of a normal distribution, in a layer of any kind. */
  private static void assertClose(KvSnapshot expected, KvSnapshot found) {
    assertArrayEquals(expected.tokens(), found.tokens());
    assertEquals(expected.precision(), found.precision());
    assertEquals(expected.layout(), found.layout());
    for (int i = 0; i < expected.layers().size(); i++) {
      assertEquals(expected.layers().get(i).start(), found.layers().get(i).start());
      assertClose(expected, expected.layers().get(i).keys(), found.layers().get(i).keys());
      assertClose(expected, expected.layers().get(i).values(), found.layers().get(i).values());
    }
  }

  private static void assertClose(KvSnapshot of, ByteBuffer expected, ByteBuffer found) {
    assertEquals(expected.remaining(), found.remaining());
    expected.order(ByteOrder.LITTLE_ENDIAN);
    found.order(ByteOrder.LITTLE_ENDIAN);
    while (expected.hasRemaining()) {
      switch (of.precision()) {
        case FLOAT32 -> assertEquals(expected.getFloat(), found.getFloat(), 0.4);
        case FLOAT16 ->
            assertEquals(
                Float.float16ToFloat(expected.getShort()),
                Float.float16ToFloat(found.getShort()),
                0.4);
        case BFLOAT16 ->
            assertEquals(
                Float.intBitsToFloat(expected.getShort() << 16),
                Float.intBitsToFloat(found.getShort() << 16),
                0.4);
      }
    }
  }

  @Test
  void whatIsThereIsNotWrittenAgain() {
    KvSnapshot snapshot = Snapshots.plausible(ALPHA, LAYOUT, KvPrecision.FLOAT32, 23, 1);
    try (DiskCacheStore store = open(KvEncoding.Q4)) {
      store.park(ANNA, snapshot);
      List<String> before = blockKeys();
      store.park(BERT, store.load(ANNA, ALPHA).orElseThrow());
      assertEquals(before, blockKeys());
      store.remove(ANNA, ALPHA);
      assertClose(snapshot, store.load(BERT, ALPHA).orElseThrow());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** A file that is written again is another file. */
  private List<String> blockKeys() throws IOException {
    List<String> keys = new ArrayList<>();
    for (Path block : allFiles(root.resolve(ALPHA.toString()).resolve("blocks"))) {
      keys.add(String.valueOf(Files.readAttributes(block, BasicFileAttributes.class).fileKey()));
    }
    assertEquals(5, keys.size());
    return keys;
  }

  @ParameterizedTest
  @EnumSource
  void filesInAnyEncodingAreRead(KvEncoding encoding) {
    KvSnapshot snapshot = Snapshots.plausible(ALPHA, LAYOUT, KvPrecision.BFLOAT16, 23, 1);
    for (KvEncoding written : KvEncoding.values()) {
      try (DiskCacheStore store = open(written)) {
        store.park(new AgentId(written.name()), snapshot);
      }
    }
    try (DiskCacheStore store = open(encoding)) {
      for (KvEncoding written : KvEncoding.values()) {
        assertClose(snapshot, store.load(new AgentId(written.name()), ALPHA).orElseThrow());
      }
      assertSame(snapshot, store.load(new AgentId("EXACT"), ALPHA).orElseThrow());
      assertEquals(3, store.parked(ALPHA).size());
    }
  }

  @Test
  void beginningsAreSharedAmongThoseWrittenAlike() {
    KvSnapshot snapshot =
        Snapshots.plausible(ALPHA, KvLayout.uniform(2, 1, 64), KvPrecision.FLOAT32, 9, 1);
    try (DiskCacheStore store = open(KvEncoding.Q4)) {
      store.park(ANNA, snapshot);
      KvSnapshot found = store.prefix(ALPHA, KvPrecision.FLOAT32, snapshot.tokens()).orElseThrow();
      assertEquals(8, found.tokens().length);
    }
    try (DiskCacheStore store = open(KvEncoding.EXACT)) {
      assertEquals(Optional.empty(), store.prefix(ALPHA, KvPrecision.FLOAT32, snapshot.tokens()));
      assertClose(snapshot, store.load(ANNA, ALPHA).orElseThrow());
    }
  }

  @Test
  void whatIsNoNumberIsWrittenExactly() {
    KvSnapshot snapshot = Snapshots.plausible(ALPHA, LAYOUT, KvPrecision.FLOAT32, 9, 1);
    for (float number : new float[] {Float.NaN, Float.POSITIVE_INFINITY, 1e20f}) {
      List<LayerKv> layers = new ArrayList<>(snapshot.layers());
      LayerKv last = layers.removeLast();
      ByteBuffer values = ByteBuffer.allocate(last.values().remaining()).put(last.values());
      values.order(ByteOrder.LITTLE_ENDIAN).putFloat(values.capacity() - 4, number);
      layers.add(new LayerKv(last.start(), last.length(), last.keys(), values.flip()));
      KvSnapshot odd =
          new KvSnapshot(ALPHA, LAYOUT, KvPrecision.FLOAT32, snapshot.tokens(), layers);
      try (StandardError log = new StandardError();
          DiskCacheStore store = open(KvEncoding.Q8)) {
        store.park(ANNA, odd);
        assertSame(odd, store.load(ANNA, ALPHA).orElseThrow());
        assertTrue(log.text().contains("anna's cache"), log.text());
        assertTrue(log.text().contains("written exactly"), log.text());
        assertFalse(log.text().contains(String.valueOf(snapshot.tokens()[0])), log.text());
      }
    }
  }

  /** As the two real models have it, of some length; headers and tokens are counted. */
  @Test
  void fourBitsAreAboutAQuarterOfSixteen() {
    List<Layer> gemma = new ArrayList<>();
    for (int i = 1; i <= 18; i++) {
      gemma.add(new Layer(1, 256, i % 6 == 0 ? 0 : 512));
    }
    KvLayout smol = new KvLayout(KvLayout.uniform(30, 3, 64).layers().subList(0, 30));
    for (KvLayout layout : List.of(smol, new KvLayout(gemma))) {
      double four = share(layout, KvEncoding.Q4);
      assertTrue(four > 0.28 && four <= 0.285, "Q4: " + four);
      double eight = share(layout, KvEncoding.Q8);
      assertTrue(eight > 0.53 && eight <= 0.535, "Q8: " + eight);
    }
  }

  private double share(KvLayout layout, KvEncoding encoding) {
    int tokens = 1500;
    List<LayerKv> layers = new ArrayList<>();
    for (Layer layer : layout.layers()) {
      int held = layer.held(tokens);
      ByteBuffer zeros = ByteBuffer.allocate(layer.kvHeads() * layer.headDim() * held * 2);
      layers.add(new LayerKv(tokens - held, held, zeros, zeros));
    }
    KvSnapshot snapshot =
        new KvSnapshot(ALPHA, layout, KvPrecision.FLOAT16, new int[tokens], layers);
    try (DiskCacheStore store = DiskCacheStore.builder(root).encoding(encoding).open()) {
      return (double) store.park(ANNA, snapshot).size().bytes() / snapshot.bytes();
    }
  }
}
