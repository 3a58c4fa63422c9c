package dev.semantic.mlx.array;

/** MLX's number formats, in mlx-c's order. */
public enum DType {
  BOOL(1),
  UINT8(1),
  UINT16(2),
  UINT32(4),
  UINT64(8),
  INT8(1),
  INT16(2),
  INT32(4),
  INT64(8),
  FLOAT16(2),
  FLOAT32(4),
  FLOAT64(8),
  BFLOAT16(2),
  COMPLEX64(8);

  private static final DType[] BY_CODE = values();

  private final int bytes;

  DType(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes of one number. */
  public int bytes() {
    return bytes;
  }

  /** As NumPy writes it, with MLX's own word for bfloat16; empty for what no weight is held in. */
  String numpy() {
    return switch (this) {
      case UINT32 -> "<u4";
      case INT32 -> "<i4";
      case FLOAT16 -> "<f2";
      case FLOAT32 -> "<f4";
      case BFLOAT16 -> "|V2";
      default -> "";
    };
  }

  @SuppressWarnings("EnumOrdinal") // mlx-c's enum counts the same way
  int code() {
    return ordinal();
  }

  static DType ofCode(int code) {
    return BY_CODE[code];
  }
}
