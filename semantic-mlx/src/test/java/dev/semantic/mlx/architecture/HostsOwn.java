package dev.semantic.mlx.architecture;

import dev.semantic.mlx.architecture.FeedForward.Activation;
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
  public Decoder decoder(ModelConfig c) {
    int headDim = c.count("hidden_size") / c.count("num_attention_heads");
    Attention attention =
        Attention.of(
            c.count("num_attention_heads"),
            c.count("num_key_value_heads"),
            headDim,
            c.rotary(headDim, 10_000));
    FeedForward feed = FeedForward.of(c.count("intermediate_size"), Activation.SILU);
    return Decoder.of(
            c.count("hidden_size"),
            c.count("vocab_size"),
            c.count("max_position_embeddings"),
            c.number("rms_norm_eps"))
        .withLayers(
            Collections.nCopies(c.count("num_hidden_layers"), Decoder.Layer.of(attention, feed)));
  }
}
