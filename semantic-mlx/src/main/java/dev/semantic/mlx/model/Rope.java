package dev.semantic.mlx.model;

import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.array.Elementwise;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Ops;
import dev.semantic.mlx.array.Scope;
import dev.semantic.mlx.weights.RopeScaling;

/**
 * Rotary position embedding (Su et al. 2021), halves not interleaved: dimension {@code i} turns
 * together with {@code i + headDim / 2}.
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
   * @param wavelengths {@code [headDim / 2]}: radians to positions
   */
  record Fused(int headDim, MlxArray wavelengths) implements Rope {
    @Override
    public Rotation at(Scope s, int[] offsets, int tokens, DType dtype) {
      if (offsets.length == 1) {
        return (scope, x) -> Ops.rope(scope, x, headDim, offsets[0], wavelengths);
      }
      MlxArray starts = s.ints(offsets);
      return (scope, x) -> Ops.rope(scope, x, headDim, starts, wavelengths);
    }
  }

  /**
   * Sines and cosines from a table that is made once per pass: where MLX's kernel is a chain of
   * sixteen operations in every layer (its CPU backend), this needs six.
   *
   * @param frequencies {@code [headDim / 2]}: radians per position
   */
  @SuppressWarnings("ArrayRecordComponent")
  record Tabled(float[] frequencies) implements Rope {
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
      return (scope, x) -> turn(scope, x, cos, sin);
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

  /**
   * Wavelengths {@code base^(2i / headDim)}, stretched as the model was trained with.
   *
   * @return radians to positions, {@code [headDim / 2]}
   */
  static float[] wavelengths(int headDim, float base, RopeScaling scaling) {
    float[] result = new float[headDim / 2];
    for (int i = 0; i < result.length; i++) {
      double plain = Math.pow(base, 2.0 * i / headDim);
      result[i] = (float) scaled(plain, i, scaling);
    }
    return result;
  }

  private static double scaled(double plain, int index, RopeScaling scaling) {
    return switch (scaling) {
      case RopeScaling.None() -> plain;
      case RopeScaling.Linear(float factor) -> plain * factor;
      case RopeScaling.Factors(float[] factors) -> plain * factors[index];
      case RopeScaling.Llama3 l -> llama3(plain, l);
    };
  }

  /** Llama 3.1's rule: long waves are stretched, short ones kept, those between blended. */
  private static double llama3(double plain, RopeScaling.Llama3 l) {
    double wavelength = 2 * Math.PI * plain;
    double longest = (double) l.originalContext() / l.lowFreqFactor();
    double shortest = (double) l.originalContext() / l.highFreqFactor();
    if (wavelength > longest) {
      return plain * l.factor();
    }
    if (wavelength <= shortest) {
      return plain;
    }
    double smooth =
        (l.originalContext() / wavelength - l.lowFreqFactor())
            / (l.highFreqFactor() - l.lowFreqFactor());
    return plain / ((1 - smooth) / l.factor() + smooth);
  }
}
