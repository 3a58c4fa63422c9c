package dev.semantic.mlx.architecture;

import java.util.List;
import java.util.Optional;

/** Rotary positions from a configuration, by the names and defaults that transformers knows. */
final class RotaryConfig {
  private final ModelConfig config;
  private final ModelConfig scaling;
  private final int dimensions;

  private RotaryConfig(ModelConfig config, ModelConfig scaling, int dimensions) {
    this.config = config;
    this.scaling = scaling;
    this.dimensions = dimensions;
  }

  /**
   * Reads them.
   *
   * @param kind of layers, where {@code rope_parameters} has a section for each
   */
  static RotarySpec read(ModelConfig config, String kind, int dimensions, float usualBase) {
    if (config.flag("rope_traditional", false)) {
      throw config.unsupported(
          "rope_traditional is true; positions in interleaved pairs are not known");
    }
    if (dimensions % 2 != 0) {
      throw config.wrong(
          "positions turn %d dimensions of a head, expected an even number".formatted(dimensions));
    }
    Optional<ModelConfig> all = config.section("rope_parameters");
    Optional<ModelConfig> nested = all.flatMap(each -> each.section(kind)).or(() -> all);
    float base =
        config.has("rope_theta") || nested.isEmpty()
            ? config.number("rope_theta", usualBase)
            : nested.get().number("rope_theta", usualBase);
    RopeScaling scaling =
        config
            .section("rope_scaling")
            .or(() -> nested)
            .map(given -> new RotaryConfig(config, given, dimensions).scaling())
            .orElseGet(RopeScaling.None::new);
    return new RotarySpec(dimensions, base, scaling);
  }

  private RopeScaling scaling() {
    String type = scaling.text("type", scaling.text("rope_type", "default"));
    return switch (type) {
      // The dynamic rule changes nothing within the context, and no sequence goes beyond it.
      case "default", "mrope", "dynamic" -> new RopeScaling.None();
      case "linear" -> new RopeScaling.Linear(scaling.number("factor"));
      case "llama3" ->
          new RopeScaling.Llama3(
              scaling.number("factor"),
              scaling.number("low_freq_factor", 1),
              scaling.number("high_freq_factor", 4),
              scaling.number("original_max_position_embeddings", 8192));
      case "yarn" -> yarn();
      case "longrope", "su" -> longRope();
      case "factors" -> factors("factors", scaling.number("attention_factor", 1));
      default ->
          throw scaling.unsupported(
              "type is '%s'; known are default, dynamic, linear, llama3, longrope, mrope, yarn"
                  .formatted(type));
    };
  }

  /**
   * As transformers reads it; mlx-lm knows neither {@code attention_factor} nor {@code truncate}.
   */
  private RopeScaling yarn() {
    float context = config.number("max_position_embeddings", 4096);
    float original = orElse("original_max_position_embeddings", context);
    float factor = orElse("factor", context / original);
    return new RopeScaling.Yarn(
        factor,
        original,
        orElse("beta_fast", 32),
        orElse("beta_slow", 1),
        (float) magnitude(factor),
        scaling.flag("truncate", true));
  }

  private double magnitude(float factor) {
    if (scaling.has("attention_factor")) {
      return scaling.number("attention_factor");
    }
    float some = orElse("mscale", 0);
    float all = orElse("mscale_all_dim", 0);
    double usual =
        some != 0 && all != 0 ? grown(factor, some) / grown(factor, all) : grown(factor, 1);
    return usual * orElse("attn_factor", 1);
  }

  private static double grown(double factor, double by) {
    return factor <= 1 ? 1 : 0.1 * by * Math.log(factor) + 1;
  }

  /** A number; 0 says nothing, as what is missing. */
  private float orElse(String key, float otherwise) {
    boolean zero = scaling.values().get(key) instanceof Number number && number.doubleValue() == 0;
    return zero ? otherwise : scaling.number(key, otherwise);
  }

  /** As transformers has it; mlx-lm takes the factors of long sequences for all. */
  private RopeScaling longRope() {
    int original =
        scaling.has("original_max_position_embeddings")
            ? scaling.count("original_max_position_embeddings")
            : config.count("original_max_position_embeddings", 4096);
    double context = config.number("max_position_embeddings", 131_072);
    double factor = context / original;
    double usual = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
    float magnitude = scaling.number("attention_factor", (float) usual);
    RopeScaling.Factors far = factors("long_factor", orElse("long_mscale", magnitude));
    RopeScaling.Factors near =
        scaling.has("short_factor")
            ? factors("short_factor", orElse("short_mscale", magnitude))
            : far;
    if (factor <= 1) {
      return near;
    }
    return near.equals(far) ? far : new RopeScaling.LongRope(near, far, original);
  }

  private RopeScaling.Factors factors(String key, float magnitude) {
    List<Float> factors = scaling.numbers(key);
    if (factors.size() != 1 && factors.size() != dimensions / 2) {
      throw scaling.wrong(
          "%s has %d numbers, expected %d, one for each pair of dimensions that turn"
              .formatted(key, factors.size(), dimensions / 2));
    }
    return new RopeScaling.Factors(factors, magnitude);
  }
}
