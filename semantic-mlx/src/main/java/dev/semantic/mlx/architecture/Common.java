package dev.semantic.mlx.architecture;

import dev.semantic.mlx.architecture.ModelDescription.Head;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/** What configurations of most families have in common. */
final class Common {
  private static final Set<String> LAYER_TYPES = Set.of("full_attention", "sliding_attention");

  private Common() {}

  /**
   * All but the layers.
   *
   * @param tied whether the head is the embedding, where the configuration does not say
   */
  static ModelDescription decoder(ModelConfig c, boolean tied) {
    return ModelDescription.of(
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

  /**
   * Layers that differ in their windows alone: as {@code layer_types} says, else full up to a
   * layer, and from there on of {@code sliding_window}, as transformers has it. (mlx-lm knows no
   * window but those of {@code layer_types}.)
   *
   * @param firstWindowed where nothing is said of each layer
   */
  static List<ModelDescription.Layer> layers(
      ModelConfig c, AttentionSpec attention, FeedForwardSpec feed, int firstWindowed) {
    List<String> types = layerTypes(c);
    boolean said = c.has("layer_types");
    return IntStream.range(0, types.size())
        .mapToObj(
            i -> {
              if (said) {
                return types.get(i).equals("sliding_attention")
                    ? attention.withWindow(c.count("sliding_window"))
                    : attention;
              }
              return i >= firstWindowed ? attention.withWindow(window(c)) : attention;
            })
        .map(each -> ModelDescription.Layer.of(each, feed))
        .toList();
  }

  /** Qwen's way to say it. */
  static int firstWindowed(ModelConfig c) {
    return c.flag("use_sliding_window", false)
        ? c.count("max_window_layers", 28)
        : Integer.MAX_VALUE;
  }

  /** 0 where there is none, or none that any sequence outgrows. */
  private static int window(ModelConfig c) {
    boolean any = c.values().get("sliding_window") instanceof Number said && said.longValue() > 0;
    long window = any ? c.count("sliding_window") : 0;
    return window < c.count("max_position_embeddings", 8192) ? (int) window : 0;
  }

  /** As many layers as the configuration says, all alike. */
  static List<ModelDescription.Layer> layers(ModelConfig c, ModelDescription.Layer layer) {
    return Collections.nCopies(c.count("num_hidden_layers"), layer);
  }
}
