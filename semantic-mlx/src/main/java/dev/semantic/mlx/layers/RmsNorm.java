package dev.semantic.mlx.layers;

import dev.semantic.mlx.array.CpuKernels;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Ops;
import dev.semantic.mlx.array.Scope;

/**
 * Root mean square normalisation over the last axis (Zhang, Sennrich 2019).
 *
 * @param weight {@code [width]}
 * @param kernels whether our own CPU kernels compute it, or MLX
 */
public record RmsNorm(MlxArray weight, float eps, boolean kernels) {
  /** Any shape whose last axis is {@code width}. */
  public MlxArray of(Scope s, MlxArray x) {
    return kernels ? CpuKernels.rmsNorm(s, x, weight, eps) : Ops.rmsNorm(s, x, weight, eps);
  }
}
