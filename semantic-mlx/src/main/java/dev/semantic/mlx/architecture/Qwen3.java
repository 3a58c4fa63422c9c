package dev.semantic.mlx.architecture;

import dev.semantic.mlx.architecture.FeedForwardSpec.Activation;
import java.util.Set;

/** Qwen 3, its dense models (Qwen Team 2025): a Llama with normed queries and keys. */
final class Qwen3 implements Architecture {
  @Override
  public Set<String> modelTypes() {
    return Set.of("qwen3");
  }

  @Override
  public ModelDescription decoder(ModelConfig c) {
    int heads = c.count("num_attention_heads");
    int headDim = c.count("head_dim", c.count("hidden_size") / heads);
    AttentionSpec attention =
        AttentionSpec.of(
                heads, c.count("num_key_value_heads"), headDim, c.rotary(headDim, 1_000_000f))
            .withHeadNorms();
    FeedForwardSpec feed = FeedForwardSpec.of(c.count("intermediate_size"), Activation.SILU);
    return Common.decoder(c, false)
        .withLayers(Common.layers(c, attention, feed, Common.firstWindowed(c)));
  }
}
