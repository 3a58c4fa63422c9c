package dev.semantic.mlx.checkpoint;

import dev.semantic.mlx.quant.NumberFormat;

/**
 * Where a tensor lies and what it looks like.
 *
 * @param name the name in the file
 * @param shape outermost axis first, {@code [out, in]} for a matrix; one or two axes
 * @param offset of its first byte in its file
 */
public record TensorInfo(String name, int[] shape, NumberFormat type, long offset) {
  /** Length of the innermost axis. */
  public int columns() {
    return shape[shape.length - 1];
  }

  /** How many rows of {@link #columns()}. */
  public int rows() {
    return shape.length == 1 ? 1 : shape[0];
  }

  /** How many numbers. */
  public long elements() {
    return (long) rows() * columns();
  }

  /** Bytes in the file. */
  public long bytes() {
    return rows() * type.rowBytes(columns());
  }
}
