package dev.semantic.mlx.architecture;

import dev.semantic.mlx.architecture.FeedForward.Activation;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

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
  public Decoder decoder(ModelConfig c) {
    int heads = c.count("num_attention_heads");
    int headDim = c.count("head_dim", c.count("hidden_size") / heads);
    boolean bias = c.flag("attention_bias", false);
    Attention attention =
        Attention.of(
                heads, c.count("num_key_value_heads", heads), headDim, c.rotary(headDim, 10_000f))
            .withBiases(bias, bias);
    FeedForward feed =
        FeedForward.of(c.count("intermediate_size"), Activation.SILU)
            .withBias(c.flag("mlp_bias", false));
    List<String> kinds = Common.layerTypes(c);
    return Common.decoder(c, true)
        .withLayers(
            IntStream.range(0, c.count("num_hidden_layers"))
                .mapToObj(
                    i ->
                        kinds.get(i).equals("sliding_attention")
                            ? attention.withWindow(c.count("sliding_window"))
                            : attention)
                .map(each -> Decoder.Layer.of(each, feed))
                .toList());
  }
}
