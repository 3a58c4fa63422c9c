package dev.semantic.mlx.layers;

import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Ops;
import dev.semantic.mlx.array.Scope;

/**
 * Root mean square normalisation over the last axis (Zhang, Sennrich 2019).
 *
 * @param weight {@code [width]}
 */
public record RmsNorm(MlxArray weight, float eps) {
  /** Any shape whose last axis is {@code width}. */
  public MlxArray of(Scope s, MlxArray x) {
    return Ops.rmsNorm(s, x, weight, eps);
  }
}
