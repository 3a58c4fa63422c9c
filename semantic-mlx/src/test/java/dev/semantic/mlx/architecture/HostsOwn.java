package dev.semantic.mlx.architecture;

import dev.semantic.mlx.architecture.FeedForwardSpec.Activation;
import java.util.Collections;
import java.util.Set;

/** What a host adds: a family under a name that nobody else knows, written with what is public. */
public final class HostsOwn implements Architecture {
  public static final String TYPE = "hosts_own";

  /** As a service has it. */
  public HostsOwn() {}

  @Override
  public Set<String> modelTypes() {
    return Set.of(TYPE);
  }

  @Override
  public ModelDescription decoder(ModelConfig c) {
    int headDim = c.count("hidden_size") / c.count("num_attention_heads");
    AttentionSpec attention =
        AttentionSpec.of(
            c.count("num_attention_heads"),
            c.count("num_key_value_heads"),
            headDim,
            c.rotary(headDim, 10_000));
    FeedForwardSpec feed = FeedForwardSpec.of(c.count("intermediate_size"), Activation.SILU);
    return ModelDescription.of(
            c.count("hidden_size"),
            c.count("vocab_size"),
            c.count("max_position_embeddings"),
            c.number("rms_norm_eps"))
        .withLayers(
            Collections.nCopies(
                c.count("num_hidden_layers"), ModelDescription.Layer.of(attention, feed)));
  }
}
