package dev.semantic.mlx.checkpoint;

import dev.semantic.mlx.quant.AffineRows;
import dev.semantic.mlx.quant.NumberFormat;

/**
 * Room for pieces of a file on their way, used again and again: what is allocated anew for each
 * piece comes to as much memory as the model. For one thread at a time; what was got before is
 * overwritten.
 */
public final class Buffers {
  private byte[] bytes = new byte[0];
  private float[] numbers = new float[0];
  private float[] scales = new float[0];
  private float[] biases = new float[0];
  private AffineRows rows = AffineRows.of(0, 0, 1, 1);

  /** At least so many. */
  byte[] bytes(long count) {
    if (bytes.length < count) {
      bytes = new byte[Math.toIntExact(count)];
    }
    return bytes;
  }

  /** At least so many. */
  public float[] numbers(int count) {
    if (numbers.length < count) {
      numbers = new float[count];
    }
    return numbers;
  }

  /** At least so many; others than those of {@link #rows}. */
  public float[] scales(int count) {
    if (scales.length < count) {
      scales = new float[count];
    }
    return scales;
  }

  /** At least so many; others than those of {@link #rows}. */
  public float[] biases(int count) {
    if (biases.length < count) {
      biases = new float[count];
    }
    return biases;
  }

  /** Of exactly this form, for at least so many rows of so many columns. */
  public AffineRows rows(int count, int columns, NumberFormat format) {
    int groups = Math.multiplyExact(count, columns / format.groupSize());
    if (rows.bits() != format.exactBits()
        || rows.groupSize() != format.groupSize()
        || rows.scales().length < groups) {
      rows = AffineRows.of(count, columns, format.exactBits(), format.groupSize());
    }
    return rows;
  }
}
