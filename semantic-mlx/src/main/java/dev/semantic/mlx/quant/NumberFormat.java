package dev.semantic.mlx.quant;

import dev.semantic.mlx.array.DType;

/** How a tensor's numbers are held in a file. */
public sealed interface NumberFormat permits TensorType, AffineFormat {
  /** Its name, for people: {@code Q4_1}, {@code BF16}, {@code 4-bit, group 64}. */
  String label();

  /** Bytes of a row, all of its parts together. */
  long rowBytes(long columns);

  /** Width of the integers, where MLX's affine form has the same ones; 0 where it has not. */
  int affineBits();

  /**
   * The same question of a whole conversion, which may take five bits and float32 scales: width of
   * the integers by which MLX's affine form has the very same numbers; 0 where it has not.
   */
  int exactBits();

  /** How many of those integers share a scale. */
  int groupSize();

  /** The format of its plain numbers, or of its scales; of GGUF's blocks what they expand to. */
  DType numbers();
}
