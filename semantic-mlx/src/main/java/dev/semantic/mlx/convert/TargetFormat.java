package dev.semantic.mlx.convert;

import dev.semantic.mlx.array.DType;
import java.util.Locale;

/** What a tensor is written as. */
sealed interface TargetFormat {
  /** For people: {@code bfloat16}, {@code 4-bit, group 64}. */
  String label();

  /** Bytes of so many rows, all parts together. */
  long rowBytes(int columns);

  /**
   * Plain numbers.
   *
   * @param offset is added to each
   */
  record Plain(DType dtype, float offset) implements TargetFormat {
    @Override
    public String label() {
      return dtype.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public long rowBytes(int columns) {
      return (long) columns * dtype.bytes();
    }
  }

  /**
   * MLX's affine form.
   *
   * @param scales the format of scales and biases
   * @param kept whether the integers are those of the source
   */
  record Affine(int bits, int groupSize, DType scales, boolean kept) implements TargetFormat {
    @Override
    public String label() {
      return "%d-bit, group %d".formatted(bits, groupSize);
    }

    @Override
    public long rowBytes(int columns) {
      return packedBytes(columns) + 2L * groups(columns) * scales.bytes();
    }

    int packedBytes(int columns) {
      return columns / Byte.SIZE * bits;
    }

    int groups(int columns) {
      return columns / groupSize;
    }
  }
}
