package dev.semantic.mlx.architecture;

import dev.semantic.mlx.architecture.FeedForwardSpec.Activation;
import java.util.Set;

/** Phi 3 (Abdin et al. 2024): a Llama with fused matrices, of whose heads only a part may turn. */
final class Phi3 implements Architecture {
  @Override
  public Set<String> modelTypes() {
    return Set.of("phi3");
  }

  @Override
  public ModelDescription decoder(ModelConfig c) {
    int heads = c.count("num_attention_heads");
    int headDim = c.count("hidden_size") / heads;
    int turning = (int) (headDim * c.number("partial_rotary_factor", 1));
    AttentionSpec attention =
        AttentionSpec.of(
                heads, c.count("num_key_value_heads", heads), headDim, c.rotary(turning, 10_000f))
            .withFusedInput();
    FeedForwardSpec feed =
        FeedForwardSpec.of(c.count("intermediate_size"), Activation.SILU).withFusedInput();
    return Common.decoder(c, false).withLayers(Common.layers(c, attention, feed, 0));
  }
}
