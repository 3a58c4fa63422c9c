package dev.semantic.model;

/** The number format in which keys and values are held while computing. */
public enum KvPrecision {
  FLOAT32(4),
  FLOAT16(2),
  BFLOAT16(2);

  private final int bytes;

  KvPrecision(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes of one number. */
  public int bytes() {
    return bytes;
  }
}
