package dev.semantic.mlx.quant;

/**
 * GGUF's Q4_K and Q5_K in MLX's affine form. Their blocks of 256 numbers are eight groups of 32,
 * whose scales are a half times six bits: too many for a half, few enough for a float32.
 */
final class SuperblockPacking {
  private static final int GROUP = AffinePacking.GROUP;
  private static final int GROUPS = 8;

  private SuperblockPacking() {}

  /** Turns the blocks of whole rows over. */
  static void pack(TensorType type, byte[] from, int groups, AffineRows to) {
    int[] integers = new int[GROUP];
    int packedBytes = GROUP * to.bits() / Byte.SIZE;
    for (int g = 0; g < groups; g++) {
      int at = g / GROUPS * type.blockBytes();
      int within = g % GROUPS;
      to.scales()[g] = Dequantizer.half(from, at) * Dequantizer.scale(from, at + 4, within);
      to.biases()[g] =
          -(Dequantizer.half(from, at + 2) * Dequantizer.minimum(from, at + 4, within));
      integers(type, from, at, within, integers);
      BitPacking.pack(integers, GROUP, to.bits(), to.weights(), g * packedBytes);
    }
  }

  /** Two groups share their bytes of low bits, all eight those of the fifth bit. */
  private static void integers(TensorType type, byte[] from, int at, int group, int[] integers) {
    boolean five = type == TensorType.Q5_K;
    int low = at + (five ? 48 : 16) + GROUP * (group / 2);
    int shift = group % 2 * 4;
    for (int i = 0; i < GROUP; i++) {
      int fifth = five ? (((from[at + 16 + i] & 0xff) >>> group) & 1) << 4 : 0;
      integers[i] = (((from[low + i] & 0xff) >>> shift) & 0xf) | fifth;
    }
  }
}
