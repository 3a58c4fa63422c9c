package dev.semantic.mlx.architecture;

/**
 * Grouped-query attention (Ainslie et al. 2023) with rotary positions, as one layer has it.
 *
 * @param scale what products of queries and keys are multiplied with
 * @param window tokens a query sees, itself included; 0 for all
 * @param headNorms whether each head of queries and keys is normed before it turns
 * @param inputBias whether queries, keys and values have biases
 * @param outputBias whether the output has one
 * @param fused whether the three are one matrix in the file, {@code qkv_proj}
 * @param softcap scores are bent to stay within it; 0 for not at all
 */
public record AttentionSpec(
    int heads,
    int kvHeads,
    int headDim,
    RotarySpec rotary,
    float scale,
    int window,
    boolean headNorms,
    boolean inputBias,
    boolean outputBias,
    boolean fused,
    float softcap) {

  public AttentionSpec {
    if (heads < 1 || kvHeads < 1 || heads % kvHeads != 0) {
      throw new IllegalArgumentException(
          "%d heads cannot share %d of keys and values".formatted(heads, kvHeads));
    }
    if (rotary.dimensions() > headDim) {
      throw new IllegalArgumentException(
          "%d dimensions of heads of %d cannot turn".formatted(rotary.dimensions(), headDim));
    }
  }

  /** Attention to everything, scaled by {@code 1 / sqrt(headDim)}; no norms, no biases. */
  public static AttentionSpec of(int heads, int kvHeads, int headDim, RotarySpec rotary) {
    float scale = (float) (1 / Math.sqrt(headDim));
    return new AttentionSpec(
        heads, kvHeads, headDim, rotary, scale, 0, false, false, false, false, 0);
  }

  /**
   * The same with queries divided by another number's root.
   *
   * @param scalar {@code query_pre_attn_scalar}
   */
  public AttentionSpec scaledBy(float scalar) {
    float value = (float) (1 / Math.sqrt(scalar));
    return new AttentionSpec(
        heads,
        kvHeads,
        headDim,
        rotary,
        value,
        window,
        headNorms,
        inputBias,
        outputBias,
        fused,
        softcap);
  }

  /** The same with a window. */
  public AttentionSpec withWindow(int value) {
    return new AttentionSpec(
        heads,
        kvHeads,
        headDim,
        rotary,
        scale,
        value,
        headNorms,
        inputBias,
        outputBias,
        fused,
        softcap);
  }

  /** The same with normed queries and keys. */
  public AttentionSpec withHeadNorms() {
    return new AttentionSpec(
        heads,
        kvHeads,
        headDim,
        rotary,
        scale,
        window,
        true,
        inputBias,
        outputBias,
        fused,
        softcap);
  }

  /** The same with biases. */
  public AttentionSpec withBiases(boolean input, boolean output) {
    return new AttentionSpec(
        heads, kvHeads, headDim, rotary, scale, window, headNorms, input, output, fused, softcap);
  }

  /** The same with one matrix in the file for queries, keys and values. */
  public AttentionSpec withFusedInput() {
    return new AttentionSpec(
        heads,
        kvHeads,
        headDim,
        rotary,
        scale,
        window,
        headNorms,
        inputBias,
        outputBias,
        true,
        softcap);
  }

  /** The same with scores that are bent to stay within a number. */
  public AttentionSpec withSoftcap(float value) {
    return new AttentionSpec(
        heads,
        kvHeads,
        headDim,
        rotary,
        scale,
        window,
        headNorms,
        inputBias,
        outputBias,
        fused,
        value);
  }
}
