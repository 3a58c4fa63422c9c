package dev.semantic.mlx.weights;

/** How a model's rotary wavelengths were stretched for longer contexts. */
public sealed interface RopeScaling {
  /** Not at all. */
  record None() implements RopeScaling {}

  /** All by the same factor (Chen et al. 2023). */
  record Linear(float factor) implements RopeScaling {}

  /** Llama 3.1's rule: long wavelengths stretched, short ones kept, those between blended. */
  record Llama3(float factor, float lowFreqFactor, float highFreqFactor, int originalContext)
      implements RopeScaling {}

  /**
   * Each by its own factor, as GGUF files hold them.
   *
   * @param factors {@code [headDim / 2]}
   */
  record Factors(float[] factors) implements RopeScaling {}
}
