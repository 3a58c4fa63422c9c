package dev.semantic.mlx.quant;

import dev.semantic.mlx.array.DType;
import java.util.List;

/**
 * MLX's affine form: integers packed in rows, lowest bits first, and a scale and a bias for each
 * group of them.
 *
 * @param scales the format of scales and biases
 */
public record AffineFormat(int affineBits, int groupSize, TensorType scales)
    implements NumberFormat {
  public static final List<Integer> BITS = List.of(2, 3, 4, 5, 6, 8);
  public static final List<Integer> GROUP_SIZES = List.of(32, 64, 128);

  @Override
  public String label() {
    return affineBits + "-bit, group " + groupSize;
  }

  @Override
  public long rowBytes(long columns) {
    return packedBytes(columns) + columns / groupSize * 2 * scales.blockBytes();
  }

  @Override
  public int exactBits() {
    return affineBits;
  }

  @Override
  public DType numbers() {
    return scales.numbers();
  }

  public long packedBytes(long columns) {
    return columns / Byte.SIZE * affineBits;
  }

  /** Expands numbers that lie in whole groups. */
  public static void expand(AffineRows rows, int numbers, float[] to) {
    switch (rows.bits()) {
      case 4 -> halves(rows, numbers, to);
      case 8 -> bytes(rows, numbers, to);
      default -> anyBits(rows, numbers, to);
    }
  }

  /** A group has sixteen numbers, however many it holds: they are computed once and looked up. */
  private static void halves(AffineRows rows, int numbers, float[] to) {
    byte[] packed = rows.weights();
    float[] value = new float[16];
    int groupSize = rows.groupSize();
    for (int first = 0, group = 0; first < numbers; first += groupSize, group++) {
      float scale = rows.scales()[group];
      float bias = rows.biases()[group];
      for (int q = 0; q < value.length; q++) {
        value[q] = scale * q + bias;
      }
      for (int i = first; i < first + groupSize; i += 2) {
        int two = packed[i >> 1];
        to[i] = value[two & 0xf];
        to[i + 1] = value[(two >>> 4) & 0xf];
      }
    }
  }

  private static void bytes(AffineRows rows, int numbers, float[] to) {
    byte[] packed = rows.weights();
    int groupSize = rows.groupSize();
    for (int first = 0, group = 0; first < numbers; first += groupSize, group++) {
      float scale = rows.scales()[group];
      float bias = rows.biases()[group];
      for (int i = first; i < first + groupSize; i++) {
        to[i] = scale * (packed[i] & 0xff) + bias;
      }
    }
  }

  private static void anyBits(AffineRows rows, int numbers, float[] to) {
    int bits = rows.bits();
    int mask = (1 << bits) - 1;
    byte[] packed = rows.weights();
    for (int i = 0; i < numbers; i++) {
      int at = i * bits;
      int shift = at % Byte.SIZE;
      int value = (packed[at / Byte.SIZE] & 0xff) >>> shift;
      if (shift + bits > Byte.SIZE) {
        value |= (packed[at / Byte.SIZE + 1] & 0xff) << (Byte.SIZE - shift);
      }
      int group = i / rows.groupSize();
      to[i] = rows.scales()[group] * (value & mask) + rows.biases()[group];
    }
  }
}
