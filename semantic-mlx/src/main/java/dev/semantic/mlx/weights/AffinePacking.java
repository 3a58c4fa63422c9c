package dev.semantic.mlx.weights;

/**
 * GGUF's simplest block formats in MLX's affine form. Both hold groups of 32 integers with a scale,
 * so only the order of the bits changes: Q4_0 is {@code d (q - 8)}, Q4_1 {@code d q + m}, Q8_0
 * {@code d q} with a signed {@code q}.
 */
final class AffinePacking {
  static final int GROUP = 32;

  private AffinePacking() {}

  /** Turns the blocks of whole rows over. */
  static void pack(TensorType type, byte[] from, int groups, AffineRows to) {
    int packedBytes = GROUP * type.affineBits() / 8;
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
      case Q4_1 -> Dequantizer.half(bytes, at + 2);
      default -> -128 * scale;
    };
  }

  private static void repack(TensorType type, byte[] bytes, int at, byte[] packed, int to) {
    if (type == TensorType.Q8_0) {
      for (int i = 0; i < GROUP; i++) {
        packed[to + i] = (byte) (bytes[at + 2 + i] ^ 0x80); // signed to offset by 128
      }
      return;
    }
    int quants = at + (type == TensorType.Q4_0 ? 2 : 4);
    for (int i = 0; i < GROUP / 2; i++) {
      packed[to + i] =
          (byte) (nibble(bytes, quants, 2 * i) | nibble(bytes, quants, 2 * i + 1) << 4);
    }
  }

  /** GGUF keeps numbers 0 to 15 in the low halves and 16 to 31 in the high ones. */
  private static int nibble(byte[] bytes, int quants, int index) {
    int half = GROUP / 2;
    return index < half ? bytes[quants + index] & 0xf : (bytes[quants + index - half] & 0xff) >>> 4;
  }
}
