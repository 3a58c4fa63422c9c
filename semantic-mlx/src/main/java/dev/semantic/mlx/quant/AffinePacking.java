package dev.semantic.mlx.quant;

/**
 * GGUF's block formats in MLX's affine form. Both hold groups of 32 integers with a scale, so only
 * the order of the bits changes: Q4_0 is {@code d (q - 8)}, Q4_1 {@code d q + m}, Q5_0 {@code d (q
 * - 16)}, Q5_1 {@code d q + m}, Q8_0 {@code d q} with a signed {@code q}.
 */
public final class AffinePacking {
  public static final int GROUP = 32;

  private AffinePacking() {}

  /** Turns the blocks of whole rows over. */
  public static void pack(TensorType type, byte[] from, int groups, AffineRows to) {
    if (type == TensorType.Q4_K || type == TensorType.Q5_K) {
      SuperblockPacking.pack(type, from, groups, to);
      return;
    }
    int packedBytes = GROUP * to.bits() / Byte.SIZE;
    for (int g = 0; g < groups; g++) {
      int at = g * type.blockBytes();
      float scale = Dequantizer.half(from, at);
      to.scales()[g] = scale;
      to.biases()[g] = bias(type, from, at, scale);
      repack(type, from, at, to.weights(), g * packedBytes);
    }
  }

  private static float bias(TensorType type, byte[] bytes, int at, float scale) {
    return switch (type) {
      case Q4_0 -> -8 * scale;
      case Q4_1, Q5_1 -> Dequantizer.half(bytes, at + 2);
      case Q5_0 -> -16 * scale;
      default -> -128 * scale;
    };
  }

  private static void repack(TensorType type, byte[] bytes, int at, byte[] packed, int to) {
    switch (type) {
      case Q8_0 -> {
        for (int i = 0; i < GROUP; i++) {
          packed[to + i] = (byte) (bytes[at + 2 + i] ^ 0x80); // signed to offset by 128
        }
      }
      case Q5_0 -> repackFive(bytes, at + 2, packed, to);
      case Q5_1 -> repackFive(bytes, at + 4, packed, to);
      default -> repackFour(bytes, at + (type == TensorType.Q4_0 ? 2 : 4), packed, to);
    }
  }

  private static void repackFour(byte[] bytes, int quants, byte[] packed, int to) {
    for (int i = 0; i < GROUP / 2; i++) {
      packed[to + i] =
          (byte) (nibble(bytes, quants, 2 * i) | nibble(bytes, quants, 2 * i + 1) << 4);
    }
  }

  /** The fifth bits come first, all 32 of them. */
  private static void repackFive(byte[] bytes, int fifth, byte[] packed, int to) {
    int[] integers = new int[GROUP];
    for (int i = 0; i < GROUP; i++) {
      int high = (bytes[fifth + i / Byte.SIZE] & 0xff) >>> i % Byte.SIZE & 1;
      integers[i] = nibble(bytes, fifth + GROUP / Byte.SIZE, i) | high << 4;
    }
    BitPacking.pack(integers, GROUP, 5, packed, to);
  }

  /** GGUF keeps numbers 0 to 15 in the low halves and 16 to 31 in the high ones. */
  private static int nibble(byte[] bytes, int quants, int index) {
    int half = GROUP / 2;
    return index < half ? bytes[quants + index] & 0xf : (bytes[quants + index - half] & 0xff) >>> 4;
  }
}
