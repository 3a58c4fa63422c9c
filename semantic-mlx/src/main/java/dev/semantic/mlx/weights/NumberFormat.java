package dev.semantic.mlx.weights;

/** How a tensor's numbers are held in a file. */
public sealed interface NumberFormat permits TensorType, AffineFormat {
  /** Its name, for people: {@code Q4_1}, {@code BF16}, {@code 4-bit, group 64}. */
  String label();

  /** Bytes of a row, all of its parts together. */
  long rowBytes(long columns);

  /** Width of the integers, where MLX's affine form has the same ones; 0 where it has not. */
  int affineBits();

  /** How many of those integers share a scale. */
  int groupSize();
}
