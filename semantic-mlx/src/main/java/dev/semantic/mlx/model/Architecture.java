package dev.semantic.mlx.model;

import dev.semantic.mlx.weights.ModelConfig;
import dev.semantic.model.KvLayout;
import dev.semantic.model.ModelException;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.function.Function;

/** A family of models, bound to one model's configuration. */
public final class Architecture {
  private record Family(
      Function<ModelConfig, KvLayout> layout,
      BiFunction<ModelConfig, Weights, Transformer> transformer) {}

  /** Adding an architecture takes its file and a line here. */
  private static final Map<String, Family> KNOWN =
      Map.of(
          "llama", new Family(Llama::layout, Llama::new),
          "gemma3", new Family(Gemma3::layout, Gemma3::new));

  private final ModelConfig config;
  private final Family family;

  private Architecture(ModelConfig config, Family family) {
    this.config = config;
    this.family = family;
  }

  /**
   * Finds the family of a configuration.
   *
   * @throws ModelException if there is none; the message lists those there are
   */
  public static Architecture of(ModelConfig config) {
    Family family = KNOWN.get(config.architecture());
    if (family == null) {
      throw new ModelException(
          "Unknown architecture '%s'; known are %s"
              .formatted(config.architecture(), String.join(", ", new TreeSet<>(KNOWN.keySet()))));
    }
    return new Architecture(config, family);
  }

  /** The geometry of the caches; known before any weight is read. */
  public KvLayout kvLayout() {
    return family.layout().apply(config);
  }

  /** Takes the weights it needs and puts the layers together. */
  public Transformer build(Weights weights) {
    return family.transformer().apply(config, weights);
  }
}
