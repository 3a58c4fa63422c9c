package dev.semantic.mlx.model;

import dev.semantic.mlx.array.Elementwise;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Scope;

/**
 * The gated feed-forward layer (Shazeer 2020): SwiGLU or GeGLU by its activation.
 *
 * @param gateUp gate and up at once: {@code [hidden, 2 intermediate]}
 */
public record FeedForward(Linear gateUp, Linear down, int intermediate, Activation activation) {
  /** What bends the gate. */
  public enum Activation {
    SILU {
      @Override
      MlxArray of(Scope s, MlxArray x) {
        return Elementwise.silu(s, x);
      }
    },
    GELU_TANH {
      @Override
      MlxArray of(Scope s, MlxArray x) {
        return Elementwise.geluTanh(s, x);
      }
    };

    abstract MlxArray of(Scope s, MlxArray x);
  }

  /** Shape kept: {@code [batch, tokens, hidden]}. */
  public MlxArray of(Scope s, MlxArray x) {
    MlxArray both = gateUp.of(s, x);
    MlxArray gate = Layers.slice(s, both, 2, 0, intermediate);
    MlxArray up = Layers.slice(s, both, 2, intermediate, 2 * intermediate);
    return down.of(s, Elementwise.multiply(s, activation.of(s, gate), up));
  }
}
