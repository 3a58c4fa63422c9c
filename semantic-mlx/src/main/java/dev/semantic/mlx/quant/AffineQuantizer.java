package dev.semantic.mlx.quant;

import java.util.List;

/**
 * MLX's affine quantisation: of each group of numbers the largest by magnitude is held exactly, and
 * the others by the nearest of {@code 2^bits} steps (algorithm: {@code mlx.core.quantize} of MLX
 * 0.32, whose integers, scales and biases these are to the bit on a CPU). In Java, because it needs
 * neither natives nor MLX's one thread, and runs on all cores in as little memory as its caller
 * likes.
 */
public final class AffineQuantizer {
  /** Widths of integers that MLX has. */
  public static final List<Integer> BITS = AffineFormat.BITS;

  /** How many numbers may share a scale. */
  public static final List<Integer> GROUP_SIZES = AffineFormat.GROUP_SIZES;

  /** No group has steps finer than this. */
  private static final float FINEST = 1e-7f;

  private AffineQuantizer() {}

  /**
   * Quantises numbers that fill whole groups.
   *
   * @param from as the matrix holds them: rounded already where it holds 16 bits
   * @param to gets scales and biases as float32; whoever stores fewer bits rounds them
   */
  public static void quantize(float[] from, int numbers, AffineRows to) {
    int size = to.groupSize();
    int[] integers = new int[size];
    for (int group = 0; group < numbers / size; group++) {
      quantizeGroup(from, group, integers, to);
      int at = group * size * to.bits() / Byte.SIZE;
      BitPacking.pack(integers, size, to.bits(), to.weights(), at);
    }
  }

  private static void quantizeGroup(float[] from, int group, int[] integers, AffineRows to) {
    int begin = group * integers.length;
    float least = Float.POSITIVE_INFINITY;
    float most = Float.NEGATIVE_INFINITY;
    for (int i = begin; i < begin + integers.length; i++) {
      least = Math.min(least, from[i]);
      most = Math.max(most, from[i]);
    }
    float steps = (1 << to.bits()) - 1;
    boolean below = Math.abs(least) > Math.abs(most);
    float scale = Math.max((most - least) / steps, FINEST);
    scale = below ? scale : -scale;
    float edge = below ? least : most;
    float atEdge = (float) Math.rint(edge / scale);
    float bias = 0;
    if (atEdge != 0) {
      scale = edge / atEdge;
      bias = edge;
    }
    for (int i = 0; i < integers.length; i++) {
      double step = Math.rint((from[begin + i] - bias) / scale);
      integers[i] = (int) Math.clamp(step, 0, steps);
    }
    to.scales()[group] = scale;
    to.biases()[group] = bias;
  }
}
