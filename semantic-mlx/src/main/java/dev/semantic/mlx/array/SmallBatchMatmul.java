package dev.semantic.mlx.array;

import org.jspecify.annotations.Nullable;

/**
 * The product of a few rows with a large matrix, as decoding needs it. Given such a product,
 * OpenBLAS packs the whole matrix first, as if many rows were to share the cost. It has kernels
 * that do not, for products that are small; so the matrix is seen as many small ones, without being
 * moved.
 */
final class SmallBatchMatmul {
  /** OpenBLAS' own limits for those kernels: multiplications, and numbers in the result. */
  private static final long MOST_MULTIPLICATIONS = 1_000_000;

  private static final long MOST_RESULTS = 1_200;

  /**
   * Those kernels use one thread. Packing is shared by all of OpenBLAS' threads: with so many rows
   * times threads squared (measured with one and two) it is the faster way again.
   */
  private static final int MOST_ROWS = 20;

  private static final int THREADS = threads(System.getenv("OPENBLAS_NUM_THREADS"));

  /** Rows of the matrix in one product: the more, the fewer calls. */
  private static final int[] HEIGHTS = {64, 32, 16};

  private SmallBatchMatmul() {}

  /** What OpenBLAS makes of its variable: as many as there are processors where it says nothing. */
  static int threads(@Nullable String variable) {
    int processors = Runtime.getRuntime().availableProcessors();
    if (variable == null || !variable.strip().matches("[1-9][0-9]{0,3}")) {
      return processors;
    }
    return Math.min(processors, Integer.parseInt(variable.strip()));
  }

  /** {@link #height(long, int, int, int)} with the threads that OpenBLAS has here. */
  static int height(long rows, int in, int out) {
    return height(rows, in, out, THREADS);
  }

  /**
   * How many rows of the matrix make one product; 0 where it is best left whole.
   *
   * @param rows of the other factor
   * @param threads that OpenBLAS uses for a product that is not small
   */
  static int height(long rows, int in, int out, int threads) {
    if (isSmall(rows, in, out) || rows * threads * threads > MOST_ROWS) {
      return 0;
    }
    for (int height : HEIGHTS) {
      if (out % height == 0 && isSmall(rows, in, height)) {
        return height;
      }
    }
    return 0;
  }

  private static boolean isSmall(long rows, int in, int out) {
    return rows * out <= MOST_RESULTS && rows * out * in <= MOST_MULTIPLICATIONS;
  }

  /**
   * The product.
   *
   * @param x {@code [rows, in]}, whatever axes the rows have
   * @param transposed {@code [in, out]}, a view of {@code [out, in]}
   * @param height divides {@code out}
   * @return {@code [rows, out]}, with the axes of {@code x}
   */
  static MlxArray of(Scope s, MlxArray x, MlxArray transposed, int height) {
    int in = transposed.dim(0);
    int out = transposed.dim(1);
    int rows = Math.toIntExact(x.size() / in);
    MlxArray matrix = Ops.transpose(s, transposed, 1, 0);
    MlxArray matrices = Ops.transpose(s, Ops.reshape(s, matrix, out / height, height, in), 0, 2, 1);
    MlxArray each = Ops.matmul(s, Ops.reshape(s, x, 1, rows, in), matrices);
    MlxArray together = rows == 1 ? each : Ops.transpose(s, each, 1, 0, 2);
    int[] shape = x.shape();
    shape[shape.length - 1] = out;
    return Ops.reshape(s, together, shape);
  }
}
