package dev.semantic.mlx.architecture;

import dev.semantic.mlx.architecture.FeedForwardSpec.Activation;
import dev.semantic.mlx.architecture.ModelDescription.EmbeddingScale;
import dev.semantic.mlx.architecture.ModelDescription.Head;
import java.util.Set;

/**
 * Gemma 2 (Gemma Team 2024): norms on both sides of every layer, bent scores and logits. Every
 * layer attends to everything, as in mlx-lm; within its window that is the same.
 */
final class Gemma2 implements Architecture {
  @Override
  public Set<String> modelTypes() {
    return Set.of("gemma2");
  }

  @Override
  public ModelDescription decoder(ModelConfig c) {
    int headDim = c.count("head_dim");
    AttentionSpec attention =
        AttentionSpec.of(
                c.count("num_attention_heads"),
                c.count("num_key_value_heads"),
                headDim,
                c.rotary(headDim, 10_000f))
            .scaledBy(c.number("query_pre_attn_scalar", 144))
            .withSoftcap(cap(c, "attn_logit_softcapping", 50));
    FeedForwardSpec feed = FeedForwardSpec.of(c.count("intermediate_size"), Activation.GELU_TANH);
    ModelDescription.Layer layer = ModelDescription.Layer.of(attention, feed).withSandwichNorms();
    float root = (float) Math.sqrt(c.count("hidden_size"));
    return Common.decoder(c, true)
        .withHead(Head.EMBEDDING)
        .withLayers(Common.layers(c, layer))
        .withNormsAroundOne()
        .withEmbeddingScale(new EmbeddingScale(root, false))
        .withLogitSoftcap(cap(c, "final_logit_softcapping", 30));
  }

  /** A {@code null} switches bending off, a missing key does not. */
  private static float cap(ModelConfig c, String key, float usual) {
    return c.values().containsKey(key) && !c.has(key) ? 0 : c.number(key, usual);
  }
}
