package dev.semantic.mlx.architecture;

import dev.semantic.mlx.architecture.FeedForwardSpec.Activation;
import java.util.Set;

/**
 * Llama (Touvron et al. 2023; Llama 3 in Grattafiori et al. 2024), and with it SmolLM2 and Mistral
 * (Jiang et al. 2023).
 */
final class Llama implements Architecture {
  @Override
  public Set<String> modelTypes() {
    return Set.of("llama", "mistral");
  }

  @Override
  public ModelDescription decoder(ModelConfig c) {
    int heads = c.count("num_attention_heads");
    int headDim = c.count("head_dim", c.count("hidden_size") / heads);
    boolean bias = c.flag("attention_bias", false);
    AttentionSpec attention =
        AttentionSpec.of(
                heads, c.count("num_key_value_heads", heads), headDim, c.rotary(headDim, 10_000f))
            .withBiases(bias, bias);
    FeedForwardSpec feed =
        FeedForwardSpec.of(c.count("intermediate_size"), Activation.SILU)
            .withBias(c.flag("mlp_bias", false));
    int firstWindowed = c.text("model_type").equals("mistral") ? 0 : Integer.MAX_VALUE;
    return Common.decoder(c, true).withLayers(Common.layers(c, attention, feed, firstWindowed));
  }
}
