package dev.semantic.mlx.architecture;

import dev.semantic.mlx.architecture.Decoder.Head;
import java.util.Collections;
import java.util.List;
import java.util.Set;

/** What configurations of most families have in common. */
final class Common {
  private static final Set<String> LAYER_TYPES = Set.of("full_attention", "sliding_attention");

  private Common() {}

  /**
   * All but the layers.
   *
   * @param tied whether the head is the embedding, where the configuration does not say
   */
  static Decoder decoder(ModelConfig c, boolean tied) {
    return Decoder.of(
            c.count("hidden_size"),
            c.count("vocab_size"),
            c.count("max_position_embeddings", 8192),
            c.number("rms_norm_eps"))
        .withHead(c.flag("tie_word_embeddings", tied) ? Head.EMBEDDING : Head.OWN);
  }

  /** A kind for each layer; all attend to everything where nothing is said. */
  static List<String> layerTypes(ModelConfig c) {
    int layers = c.count("num_hidden_layers");
    if (!c.has("layer_types")) {
      return Collections.nCopies(layers, "full_attention");
    }
    List<String> types = c.texts("layer_types");
    if (types.size() != layers || !LAYER_TYPES.containsAll(types)) {
      throw c.wrong(
          "layer_types is %s, expected %d of full_attention and sliding_attention"
              .formatted(types, layers));
    }
    return types;
  }

  /** As many layers as the configuration says, all alike. */
  static List<Decoder.Layer> layers(ModelConfig c, Decoder.Layer layer) {
    return Collections.nCopies(c.count("num_hidden_layers"), layer);
  }
}
