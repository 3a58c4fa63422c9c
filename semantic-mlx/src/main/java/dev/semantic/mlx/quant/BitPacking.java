package dev.semantic.mlx.quant;

/** Integers of a few bits one behind the other, lowest bits first: how MLX holds them in a row. */
final class BitPacking {
  private BitPacking() {}

  /**
   * Packs integers that fill whole bytes.
   *
   * @param count of integers, a multiple of eight
   */
  static void pack(int[] integers, int count, int bits, byte[] to, int at) {
    long pending = 0;
    int width = 0;
    int next = at;
    for (int i = 0; i < count; i++) {
      pending |= (long) integers[i] << width;
      width += bits;
      while (width >= Byte.SIZE) {
        to[next++] = (byte) pending;
        pending >>>= Byte.SIZE;
        width -= Byte.SIZE;
      }
    }
  }
}
