package dev.semantic.kv;

/**
 * How the numbers of a cache are written on disk. In memory they are always in the model's own
 * precision; what is written in fewer bits comes back close to what it was, not equal.
 */
public enum KvEncoding {
  /** As they were computed. */
  EXACT(0),

  /** In 8 bits each, and 32 more for every group of 64. */
  Q8(8),

  /** In 4 bits each, and 32 more for every group of 64. */
  Q4(4);

  private final int bits;

  KvEncoding(int bits) {
    this.bits = bits;
  }

  /** Bits of one number; 0 where that depends on the precision. */
  public int bits() {
    return bits;
  }
}
