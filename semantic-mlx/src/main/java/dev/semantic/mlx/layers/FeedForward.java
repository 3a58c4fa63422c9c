package dev.semantic.mlx.layers;

import dev.semantic.mlx.architecture.FeedForwardSpec.Activation;
import dev.semantic.mlx.array.CpuKernels;
import dev.semantic.mlx.array.Elementwise;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Scope;

/**
 * The gated feed-forward layer (Shazeer 2020): SwiGLU or GeGLU by its activation.
 *
 * @param gateUp gate and up at once: {@code [hidden, 2 intermediate]}
 * @param kernels whether our own CPU kernels bend the gate, or MLX
 */
public record FeedForward(
    Linear gateUp, Linear down, int intermediate, Activation activation, boolean kernels) {
  /** Shape kept: {@code [batch, tokens, hidden]}. */
  public MlxArray of(Scope s, MlxArray x) {
    // gate, up = x W, in one product
    MlxArray both = gateUp.of(s, x);
    // y = (activation(gate) * up) W_down
    return down.of(s, kernels ? CpuKernels.gated(s, both, kernel()) : gated(s, both));
  }

  private MlxArray gated(Scope s, MlxArray both) {
    MlxArray gate = Layers.slice(s, both, 2, 0, intermediate);
    MlxArray up = Layers.slice(s, both, 2, intermediate, 2 * intermediate);
    MlxArray bent =
        switch (activation) {
          case SILU -> Elementwise.silu(s, gate);
          case GELU_TANH -> Elementwise.geluTanh(s, gate);
        };
    return Elementwise.multiply(s, bent, up);
  }

  private CpuKernels.Activation kernel() {
    return switch (activation) {
      case SILU -> CpuKernels.Activation.SILU;
      case GELU_TANH -> CpuKernels.Activation.GELU_TANH;
    };
  }
}
