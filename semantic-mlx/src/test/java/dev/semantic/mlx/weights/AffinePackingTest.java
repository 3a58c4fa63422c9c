package dev.semantic.mlx.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Both forms of the same blocks mean the same numbers. */
class AffinePackingTest {
  private static final int COLUMNS = 96;
  private static final int ROWS = 3;

  @ParameterizedTest
  @EnumSource(names = {"Q4_0", "Q4_1", "Q8_0"})
  void packedNumbersAreTheExpandedOnes(TensorType type) {
    byte[] blocks = blocks(type);
    float[] expanded = new float[ROWS * COLUMNS];
    Dequantizer.expand(type, blocks, expanded.length, expanded);
    int bits = type.affineBits();
    AffineRows packed = AffineRows.of(ROWS, COLUMNS, bits, AffinePacking.GROUP);
    AffinePacking.pack(type, blocks, expanded.length / AffinePacking.GROUP, packed);
    for (int i = 0; i < expanded.length; i++) {
      int group = i / AffinePacking.GROUP;
      int number = (packed.weights()[i * bits / 8] & 0xff) >>> (i * bits % 8);
      int q = number & ((1 << bits) - 1);
      assertEquals(
          expanded[i], packed.scales()[group] * q + packed.biases()[group], type + " " + i);
    }
  }

  /** Random integers; scales that are powers of two, so that no order of operations rounds. */
  private static byte[] blocks(TensorType type) {
    Random random = new Random(7);
    byte[] bytes = new byte[Math.toIntExact(ROWS * type.rowBytes(COLUMNS))];
    random.nextBytes(bytes);
    for (int at = 0; at < bytes.length; at += type.blockBytes()) {
      half(bytes, at, Math.scalb(1f, random.nextInt(8) - 6));
      if (type == TensorType.Q4_1) {
        half(bytes, at + 2, -random.nextInt(9));
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
