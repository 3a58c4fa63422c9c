package dev.semantic.mlx.architecture;

import dev.semantic.mlx.architecture.FeedForwardSpec.Activation;
import java.util.Set;

/** Qwen 2 and 2.5 (Qwen Team 2024): a Llama whose queries, keys and values have biases. */
final class Qwen2 implements Architecture {
  @Override
  public Set<String> modelTypes() {
    return Set.of("qwen2");
  }

  @Override
  public ModelDescription decoder(ModelConfig c) {
    int heads = c.count("num_attention_heads");
    int headDim = c.count("hidden_size") / heads;
    AttentionSpec attention =
        AttentionSpec.of(
                heads, c.count("num_key_value_heads"), headDim, c.rotary(headDim, 1_000_000f))
            .withBiases(true, false);
    FeedForwardSpec feed = FeedForwardSpec.of(c.count("intermediate_size"), Activation.SILU);
    return Common.decoder(c, true)
        .withLayers(Common.layers(c, attention, feed, Common.firstWindowed(c)));
  }
}
