package dev.semantic.mlx.quant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Both forms of the same blocks mean the same numbers. */
class AffinePackingTest {
  private static final int COLUMNS = 512;
  private static final int ROWS = 3;

  @ParameterizedTest
  @EnumSource(names = {"Q4_0", "Q4_1", "Q4_K", "Q5_0", "Q5_1", "Q5_K", "Q8_0"})
  void packedNumbersAreTheExpandedOnes(TensorType type) {
    byte[] blocks = blocks(type);
    float[] expanded = new float[ROWS * COLUMNS];
    Dequantizer.expand(type, blocks, expanded.length, expanded);
    AffineRows packed = AffineRows.of(ROWS, COLUMNS, type.exactBits(), AffinePacking.GROUP);
    AffinePacking.pack(type, blocks, expanded.length / AffinePacking.GROUP, packed);
    float[] actual = new float[expanded.length];
    AffineFormat.expand(packed, actual.length, actual);
    assertArrayEquals(expanded, actual, 0); // a zero has two signs
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16", "Q6_K"})
  void whatMlxHasNoIntegersForSaysSo(TensorType type) {
    assertEquals(0, type.exactBits());
  }

  /** Random integers, and random scales that are numbers. */
  private static byte[] blocks(TensorType type) {
    Random random = new Random(7);
    byte[] bytes = new byte[Math.toIntExact(ROWS * type.rowBytes(COLUMNS))];
    random.nextBytes(bytes);
    boolean two = type.name().endsWith("_1") || type.name().endsWith("_K");
    for (int at = 0; at < bytes.length; at += type.blockBytes()) {
      half(bytes, at, (float) random.nextGaussian() / 8);
      if (two) {
        half(bytes, at + 2, (float) random.nextGaussian());
      }
    }
    return bytes;
  }

  private static void half(byte[] bytes, int at, float value) {
    short bits = Float.floatToFloat16(value);
    bytes[at] = (byte) bits;
    bytes[at + 1] = (byte) (bits >>> 8);
  }
}
