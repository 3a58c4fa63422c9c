package dev.semantic.mlx.layers;

import dev.semantic.mlx.array.CpuKernels;
import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.array.Elementwise;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Ops;
import dev.semantic.mlx.array.Scope;

/**
 * Rotary position embedding (Su et al. 2021), halves not interleaved: dimension {@code i} turns
 * together with {@code i + dimensions / 2}.
 */
public sealed interface Rope {
  /**
   * The rotation for the positions of one forward pass; all layers share it.
   *
   * @param offsets for every sequence of the batch the position of its first new token
   * @param tokens new tokens of each
   */
  Rotation at(Scope s, int[] offsets, int tokens, DType dtype);

  /** Turns queries and keys, {@code [batch, heads, tokens, headDim]}. */
  @FunctionalInterface
  interface Rotation {
    MlxArray of(Scope s, MlxArray x);
  }

  /**
   * MLX's own kernel: best where it is one.
   *
   * @param dimensions how much of each head turns
   * @param wavelengths {@code [dimensions / 2]}: radians to positions
   */
  record Fused(int dimensions, MlxArray wavelengths) implements Rope {
    @Override
    public Rotation at(Scope s, int[] offsets, int tokens, DType dtype) {
      if (offsets.length == 1) {
        return (scope, x) -> Ops.rope(scope, x, dimensions, offsets[0], wavelengths);
      }
      MlxArray starts = s.ints(offsets);
      return (scope, x) -> Ops.rope(scope, x, dimensions, starts, wavelengths);
    }
  }

  /**
   * MLX's own operation, from the base of the wavelengths, as the reference calls it: to the same
   * bits.
   *
   * @param dimensions how much of each head turns
   * @param base wavelengths grow from one to this
   * @param scale of positions
   */
  record Based(int dimensions, float base, float scale) implements Rope {
    @Override
    public Rotation at(Scope s, int[] offsets, int tokens, DType dtype) {
      MlxArray starts = s.ints(offsets);
      return (scope, x) -> Ops.rope(scope, x, dimensions, starts, base, scale);
    }
  }

  /**
   * Positions that turn only the front of each head, or lengthen it besides.
   *
   * @param turning what turns all that it gets
   * @param dimensions how much of each head turns
   * @param magnitude what that is multiplied with
   */
  record Front(Rope turning, int dimensions, float magnitude) implements Rope {
    @Override
    public Rotation at(Scope s, int[] offsets, int tokens, DType dtype) {
      Rotation inner = turning.at(s, offsets, tokens, dtype);
      return (scope, x) -> {
        int all = x.dim(3);
        MlxArray front = all == dimensions ? x : Layers.slice(scope, x, 3, 0, dimensions);
        if (magnitude != 1) {
          front = Elementwise.multiply(scope, front, scope.scalar(magnitude, x.dtype()));
        }
        MlxArray turned = inner.of(scope, front);
        return all == dimensions
            ? turned
            : Ops.concatenate(scope, 3, turned, Layers.slice(scope, x, 3, dimensions, all));
      };
    }
  }

  /**
   * Sines and cosines from a table that is made once per pass: where MLX's kernel is a chain of
   * sixteen operations in every layer (its CPU backend), this needs six.
   *
   * @param frequencies {@code [dimensions / 2]}: radians per position
   * @param kernels whether our own CPU kernels turn, in one operation
   */
  @SuppressWarnings("ArrayRecordComponent")
  record Tabled(float[] frequencies, boolean kernels) implements Rope {
    @Override
    public Rotation at(Scope s, int[] offsets, int tokens, DType dtype) {
      int half = frequencies.length;
      int[] shape = {offsets.length, 1, tokens, 2 * half};
      float[] cosines = new float[offsets.length * tokens * 2 * half];
      float[] sines = new float[cosines.length];
      int row = 0;
      for (int offset : offsets) {
        for (int t = 0; t < tokens; t++, row += 2 * half) {
          fill(cosines, sines, row, offset + t);
        }
      }
      MlxArray cos = Ops.astype(s, s.floats(cosines, shape), dtype);
      MlxArray sin = Ops.astype(s, s.floats(sines, shape), dtype);
      return kernels
          ? (scope, x) -> CpuKernels.rotary(scope, x, cos, sin)
          : (scope, x) -> turn(scope, x, cos, sin);
    }

    private void fill(float[] cosines, float[] sines, int row, int position) {
      int half = frequencies.length;
      for (int i = 0; i < half; i++) {
        float angle = position * frequencies[i]; // rounded to float32, as the reference does
        float cos = (float) Math.cos(angle);
        float sin = (float) Math.sin(angle);
        cosines[row + i] = cos;
        cosines[row + half + i] = cos;
        sines[row + i] = -sin;
        sines[row + half + i] = sin;
      }
    }

    private MlxArray turn(Scope s, MlxArray x, MlxArray cos, MlxArray sin) {
      int half = frequencies.length;
      MlxArray first = Layers.slice(s, x, 3, 0, half);
      MlxArray second = Layers.slice(s, x, 3, half, 2 * half);
      MlxArray swapped = Ops.concatenate(s, 3, second, first);
      return Elementwise.add(
          s, Elementwise.multiply(s, x, cos), Elementwise.multiply(s, swapped, sin));
    }
  }
}
