package dev.semantic.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.semantic.kv.KvSnapshot;
import dev.semantic.kv.KvSnapshot.LayerKv;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvLayout.Layer;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelTag;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
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

  /** The same, of numbers as models compute them. */
  public static KvSnapshot plausible(
      ModelTag tag, KvLayout layout, KvPrecision precision, int tokens, long seed) {
    KvSnapshot random = of(tag, layout, precision, tokens, seed);
    Random numbers = new Random(seed);
    List<LayerKv> layers =
        random.layers().stream()
            .map(
                kv ->
                    new LayerKv(
                        kv.start(),
                        kv.length(),
                        numbers(numbers, precision, kv.keys().remaining()),
                        numbers(numbers, precision, kv.values().remaining())))
            .toList();
    return new KvSnapshot(tag, layout, precision, random.tokens(), layers);
  }

  private static ByteBuffer numbers(Random random, KvPrecision precision, int length) {
    ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      float number = (float) random.nextGaussian();
      switch (precision) {
        case FLOAT32 -> bytes.putFloat(number);
        case FLOAT16 -> bytes.putShort(Float.floatToFloat16(number));
        case BFLOAT16 -> bytes.putShort((short) (Float.floatToIntBits(number) >>> 16));
      }
    }
    return bytes.flip();
  }

  /** What became of a cache after {@code more}'s tokens behind it. */
  public static KvSnapshot joined(KvSnapshot snapshot, KvSnapshot more) {
    int[] tokens =
        Arrays.copyOf(snapshot.tokens(), snapshot.tokens().length + more.tokens().length);
    System.arraycopy(more.tokens(), 0, tokens, snapshot.tokens().length, more.tokens().length);
    List<LayerKv> layers = new ArrayList<>();
    for (int i = 0; i < snapshot.layers().size(); i++) {
      Layer layer = snapshot.layout().layers().get(i);
      int row = layer.headDim() * snapshot.precision().bytes();
      LayerKv old = snapshot.layers().get(i);
      LayerKv fresh = more.layers().get(i);
      int held = layer.held(tokens.length);
      int kept = held - Math.min(held, fresh.length());
      layers.add(
          new LayerKv(
              tokens.length - held,
              held,
              joined(old.keys(), old.length(), fresh.keys(), fresh.length(), kept, held, row),
              joined(old.values(), old.length(), fresh.values(), fresh.length(), kept, held, row)));
    }
    return new KvSnapshot(snapshot.tag(), snapshot.layout(), snapshot.precision(), tokens, layers);
  }

  private static ByteBuffer joined(
      ByteBuffer old,
      int oldLength,
      ByteBuffer fresh,
      int freshLength,
      int kept,
      int held,
      int row) {
    int heads = fresh.remaining() / (freshLength * row);
    ByteBuffer all = ByteBuffer.allocate(heads * held * row);
    for (int head = 0; head < heads; head++) {
      all.put(old.slice(((head + 1) * oldLength - kept) * row, kept * row));
      int taken = held - kept;
      all.put(fresh.slice(((head + 1) * freshLength - taken) * row, taken * row));
    }
    return all.flip();
  }

  /** Other tokens from {@code at} on, and other keys and values for them; the rest as it was. */
  public static KvSnapshot fork(KvSnapshot snapshot, int at, long seed) {
    Random random = new Random(seed);
    int[] tokens = snapshot.tokens().clone();
    for (int i = at; i < tokens.length; i++) {
      tokens[i] = random.nextInt(300_000);
    }
    List<LayerKv> layers = new ArrayList<>();
    for (int i = 0; i < snapshot.layers().size(); i++) {
      LayerKv kv = snapshot.layers().get(i);
      Layer layer = snapshot.layout().layers().get(i);
      int row = layer.headDim() * snapshot.precision().bytes();
      int from = Math.max(0, at - kv.start());
      layers.add(
          new LayerKv(
              kv.start(),
              kv.length(),
              changed(random, kv.keys(), layer.kvHeads(), kv.length(), from, row),
              changed(random, kv.values(), layer.kvHeads(), kv.length(), from, row)));
    }
    return new KvSnapshot(
        snapshot.tag(), snapshot.layout(), snapshot.precision(), tokens, layers, snapshot.seams());
  }

  private static ByteBuffer changed(
      Random random, ByteBuffer old, int heads, int length, int from, int row) {
    byte[] bytes = new byte[old.remaining()];
    old.get(bytes);
    for (int head = 0; head < heads; head++) {
      for (int i = (head * length + from) * row; i < (head + 1) * length * row; i++) {
        bytes[i] = (byte) random.nextInt();
      }
    }
    return ByteBuffer.wrap(bytes);
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
    assertEquals(expected.seams(), found.seams());
    assertEquals(expected.layers(), found.layers()); // buffers compare what remains in them
  }
}
