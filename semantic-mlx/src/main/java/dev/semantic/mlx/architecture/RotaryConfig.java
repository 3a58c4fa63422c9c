package dev.semantic.mlx.architecture;

import java.util.List;
import java.util.Optional;

/** Rotary positions from a configuration, by the names and defaults that mlx-lm knows. */
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
  static Rotary read(ModelConfig config, String kind, int dimensions, float usualBase) {
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
    return new Rotary(dimensions, base, scaling);
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
      case "factors" -> factors("factors", 1);
      default ->
          throw scaling.unsupported(
              "type is '%s'; known are default, dynamic, linear, llama3, longrope, mrope, yarn"
                  .formatted(type));
    };
  }

  private RopeScaling yarn() {
    float factor = scaling.number("factor");
    double all = scaling.has("mscale_all_dim") ? scaling.number("mscale_all_dim") : 0;
    double magnitude = grown(factor, scaling.number("mscale", 1)) / grown(factor, all);
    return new RopeScaling.Yarn(
        factor,
        scaling.number("original_max_position_embeddings", 4096),
        scaling.number("beta_fast", 32),
        scaling.number("beta_slow", 1),
        (float) magnitude);
  }

  private static double grown(double factor, double by) {
    return factor <= 1 ? 1 : 0.1 * by * Math.log(factor) + 1;
  }

  private RopeScaling longRope() {
    float original =
        scaling.number(
            "original_max_position_embeddings",
            config.number("original_max_position_embeddings", 4096));
    double factor = config.number("max_position_embeddings", 131_072) / original;
    double magnitude = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
    return factors("long_factor", (float) magnitude);
  }

  private RopeScaling factors(String key, float magnitude) {
    List<Float> factors = scaling.numbers(key);
    if (factors.size() != 1 && factors.size() != dimensions / 2) {
      throw scaling.wrong(
          "%s has %d numbers, expected %d, one for each pair of dimensions that turn"
              .formatted(key, factors.size(), dimensions / 2));
    }
    return new RopeScaling.Factors(factors, magnitude);
  }
}
