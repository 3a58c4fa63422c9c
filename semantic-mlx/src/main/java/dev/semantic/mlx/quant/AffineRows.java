package dev.semantic.mlx.quant;

/**
 * Rows of a matrix in MLX's affine quantised form: a number is {@code scale * q + bias} of its
 * group.
 *
 * @param bits width of an integer
 * @param groupSize how many numbers share a scale and a bias
 * @param weights {@code columns * bits / 8} bytes for each row, lowest bits first
 * @param scales {@code columns / groupSize} for each row
 * @param biases like {@code scales}
 */
@SuppressWarnings("ArrayRecordComponent")
public record AffineRows(int bits, int groupSize, byte[] weights, float[] scales, float[] biases) {
  /** Room for so many rows. */
  public static AffineRows of(int rows, int columns, int bits, int groupSize) {
    int groups = Math.multiplyExact(rows, columns / groupSize);
    return new AffineRows(
        bits,
        groupSize,
        new byte[Math.multiplyExact(groups, groupSize * bits / 8)],
        new float[groups],
        new float[groups]);
  }
}
