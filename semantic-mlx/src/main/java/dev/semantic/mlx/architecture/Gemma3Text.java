package dev.semantic.mlx.architecture;

import dev.semantic.mlx.architecture.FeedForwardSpec.Activation;
import dev.semantic.mlx.architecture.ModelDescription.EmbeddingScale;
import dev.semantic.mlx.architecture.ModelDescription.Head;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Gemma 3, its text part (Gemma Team 2025): norms on both sides of every layer, normed queries and
 * keys, and five sliding-window layers for each one that attends to everything.
 */
final class Gemma3Text implements Architecture {
  @Override
  public Set<String> modelTypes() {
    return Set.of("gemma3_text");
  }

  @Override
  public ModelDescription decoder(ModelConfig c) {
    int hidden = c.count("hidden_size", 1152);
    int headDim = c.count("head_dim", 256);
    AttentionSpec far =
        AttentionSpec.of(
                c.count("num_attention_heads", 4),
                c.count("num_key_value_heads", 1),
                headDim,
                c.rotary(headDim, 1_000_000f))
            .scaledBy(c.number("query_pre_attn_scalar", 256))
            .withHeadNorms();
    AttentionSpec near = near(c, far);
    FeedForwardSpec feed =
        FeedForwardSpec.of(c.count("intermediate_size", 6912), Activation.GELU_TANH);
    int pattern = c.count("sliding_window_pattern", 6);
    return ModelDescription.of(
            hidden,
            c.count("vocab_size", 262_144),
            c.count("max_position_embeddings", 32_768),
            c.number("rms_norm_eps", 1e-6f))
        .withHead(Head.AS_THE_FILE_HAS_IT)
        .withNormsAroundOne()
        .withEmbeddingScale(new EmbeddingScale((float) Math.sqrt(hidden), true))
        .withLayers(
            IntStream.rangeClosed(1, c.count("num_hidden_layers", 26))
                .mapToObj(i -> ModelDescription.Layer.of(i % pattern == 0 ? far : near, feed))
                .map(ModelDescription.Layer::withSandwichNorms)
                .toList());
  }

  /** Those that see a window have wavelengths of their own, never stretched. */
  private static AttentionSpec near(ModelConfig c, AttentionSpec far) {
    float usual =
        c.section("rope_parameters")
            .flatMap(each -> each.section("sliding_attention"))
            .map(each -> each.number("rope_theta", 10_000f))
            .orElse(10_000f);
    RotarySpec rotary =
        new RotarySpec(
            far.headDim(), c.number("rope_local_base_freq", usual), new RopeScaling.None());
    return new AttentionSpec(
        far.heads(),
        far.kvHeads(),
        far.headDim(),
        rotary,
        far.scale(),
        c.count("sliding_window", 512),
        far.headNorms(),
        far.inputBias(),
        far.outputBias(),
        far.fused(),
        far.softcap());
  }
}
