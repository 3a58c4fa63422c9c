package dev.semantic.mlx.architecture;

/**
 * The gated feed-forward half of a layer (Shazeer 2020).
 *
 * @param width of what lies between
 * @param bias whether its matrices have biases
 * @param fused whether gate and up are one matrix in the file, {@code gate_up_proj}
 */
public record FeedForwardSpec(int width, Activation activation, boolean bias, boolean fused) {
  /** What bends the gate. */
  public enum Activation {
    /** {@code x sigmoid(x)}. */
    SILU,
    /** GELU by its tanh approximation (Hendrycks, Gimpel 2016). */
    GELU_TANH
  }

  /** Without biases. */
  public static FeedForwardSpec of(int width, Activation activation) {
    return new FeedForwardSpec(width, activation, false, false);
  }

  /** The same with biases, or without. */
  public FeedForwardSpec withBias(boolean value) {
    return new FeedForwardSpec(width, activation, value, fused);
  }

  /** The same with one matrix in the file for gate and up. */
  public FeedForwardSpec withFusedInput() {
    return new FeedForwardSpec(width, activation, bias, true);
  }
}
