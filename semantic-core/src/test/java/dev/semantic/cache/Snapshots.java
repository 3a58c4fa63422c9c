package dev.semantic.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.semantic.cache.KvSnapshot.LayerKv;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvLayout.Layer;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelTag;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Caches to test with: random bytes, the same for the same seed. */
public final class Snapshots {
  public static final ModelTag ALPHA = new ModelTag("alpha", "a1".repeat(32));
  public static final ModelTag BETA = new ModelTag("beta", "b2".repeat(32));

  /** A layer that sees everything and two that see a window of 5 tokens. */
  public static final KvLayout MIXED =
      new KvLayout(List.of(new Layer(2, 4, 0), new Layer(1, 8, 5), new Layer(1, 3, 5)));

  private Snapshots() {}

  /** A small cache of 7 tokens, which overflow the windows. */
  public static KvSnapshot small(ModelTag tag, long seed) {
    return of(tag, MIXED, KvPrecision.FLOAT16, 7, seed);
  }

  public static KvSnapshot of(
      ModelTag tag, KvLayout layout, KvPrecision precision, int tokens, long seed) {
    Random random = new Random(seed);
    List<LayerKv> layers = new ArrayList<>();
    for (Layer layer : layout.layers()) {
      int length = layer.held(tokens);
      int bytes = layer.kvHeads() * layer.headDim() * length * precision.bytes();
      layers.add(new LayerKv(tokens - length, length, bytes(random, bytes), bytes(random, bytes)));
    }
    return new KvSnapshot(
        tag, layout, precision, random.ints(tokens, 0, 300_000).toArray(), layers);
  }

  private static ByteBuffer bytes(Random random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return ByteBuffer.wrap(bytes);
  }

  /** Records compare arrays by identity; this compares what is in them. */
  public static void assertSame(KvSnapshot expected, KvSnapshot found) {
    assertEquals(expected.tag(), found.tag());
    assertEquals(expected.layout(), found.layout());
    assertEquals(expected.precision(), found.precision());
    assertArrayEquals(expected.tokens(), found.tokens());
    assertEquals(expected.layers(), found.layers()); // buffers compare what remains in them
  }
}
