package dev.semantic.mlx.quant;

import dev.semantic.mlx.array.DType;
import java.util.Arrays;
import java.util.Optional;

/** The number formats of GGUF that can be read: blocks of numbers that share their scales. */
public enum TensorType implements NumberFormat {
  F32(0, 1, 4),
  F16(1, 1, 2),
  Q4_0(2, 32, 18),
  Q4_1(3, 32, 20),
  Q5_0(6, 32, 22),
  Q5_1(7, 32, 24),
  Q8_0(8, 32, 34),
  Q4_K(12, 256, 144),
  Q5_K(13, 256, 176),
  Q6_K(14, 256, 210),
  BF16(30, 1, 2);

  private final int code;
  private final int blockSize;
  private final int blockBytes;

  TensorType(int code, int blockSize, int blockBytes) {
    this.code = code;
    this.blockSize = blockSize;
    this.blockBytes = blockBytes;
  }

  /** Numbers in a block. */
  public int blockSize() {
    return blockSize;
  }

  /** Bytes of a block. */
  public int blockBytes() {
    return blockBytes;
  }

  @Override
  public String label() {
    return name();
  }

  /** Bytes of a row of {@code columns} numbers, a multiple of the block size. */
  @Override
  public long rowBytes(long columns) {
    return columns / blockSize * blockBytes;
  }

  @Override
  public int affineBits() {
    return switch (this) {
      case Q4_0, Q4_1 -> 4;
      case Q8_0 -> 8;
      default -> 0;
    };
  }

  @Override
  public int exactBits() {
    return switch (this) {
      case Q4_0, Q4_1, Q4_K -> 4;
      case Q5_0, Q5_1, Q5_K -> 5;
      case Q8_0 -> 8;
      default -> 0;
    };
  }

  @Override
  public DType numbers() {
    return switch (this) {
      case F16 -> DType.FLOAT16;
      case BF16 -> DType.BFLOAT16;
      default -> DType.FLOAT32;
    };
  }

  @Override
  public int groupSize() {
    return AffinePacking.GROUP;
  }

  public static Optional<TensorType> ofCode(int code) {
    return Arrays.stream(values()).filter(type -> type.code == code).findFirst();
  }
}
