package dev.semantic.mlx.weights;

/**
 * Rows of a matrix in MLX's affine quantised form: a number is {@code scale * q + bias} of its
 * group.
 *
 * @param weights {@code columns * bits / 8} bytes for each row, lowest bits first
 * @param scales {@code columns / GROUP} for each row
 * @param biases like {@code scales}
 */
@SuppressWarnings("ArrayRecordComponent")
public record AffineRows(byte[] weights, float[] scales, float[] biases) {
  /** How many numbers share a scale and a bias. */
  public static final int GROUP = 32;

  /** Room for so many rows. */
  public static AffineRows of(int rows, int columns, int bits) {
    int groups = Math.multiplyExact(rows, columns / GROUP);
    return new AffineRows(
        new byte[Math.multiplyExact(groups, GROUP * bits / 8)],
        new float[groups],
        new float[groups]);
  }
}
