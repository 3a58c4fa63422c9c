package dev.semantic.mlx.convert;

import dev.semantic.mlx.architecture.AttentionSpec;
import dev.semantic.mlx.architecture.ModelConfig;
import dev.semantic.mlx.architecture.RopeScaling;
import dev.semantic.mlx.architecture.RotarySpec;
import dev.semantic.mlx.checkpoint.Checkpoint;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The rule behind the factors of wavelengths that a GGUF file holds: Llama 3.1's, which {@code
 * config.json} knows by its parameters only.
 */
final class Llama3Factors {
  private static final float LOW = 1;
  private static final float HIGH = 4;
  private static final int USUAL_CONTEXT = 8192;

  /** Factors are stored as float32. */
  private static final double TOLERANCE = 1e-4;

  private Llama3Factors() {}

  /**
   * The rule.
   *
   * @return what {@code rope_scaling} says; empty if nothing is stretched
   * @throws dev.semantic.model.ModelException if it is another one
   */
  static Map<String, Object> rule(ModelConfig given, Checkpoint checkpoint) {
    List<Float> factors = given.numbers("factors");
    float most = Collections.max(factors);
    if (most == 1 && Collections.min(factors) == 1) {
      return Map.of();
    }
    AttentionSpec attention = checkpoint.decoder().layers().getFirst().attention();
    return Stream.concat(
            Stream.of(USUAL_CONTEXT), IntStream.rangeClosed(5, 20).mapToObj(power -> 1 << power))
        .filter(context -> explains(context, most, factors, attention.rotary()))
        .findFirst()
        .map(context -> described(context, most))
        .orElseThrow(
            () ->
                given.unsupported(
                    "tensor rope_freqs.weight stretches positions by no rule that config.json has a"
                        + " name for (llama3 with original contexts of 32 to 1048576 was tried)"));
  }

  private static boolean explains(int context, float most, List<Float> factors, RotarySpec rotary) {
    RopeScaling rule = new RopeScaling.Llama3(most, LOW, HIGH, context);
    RotarySpec plain = new RotarySpec(rotary.dimensions(), rotary.base(), new RopeScaling.None());
    float[] wavelengths = plain.wavelengths();
    return factors.size() == wavelengths.length
        && IntStream.range(0, wavelengths.length)
            .allMatch(
                i -> {
                  double factor = rule.stretched(wavelengths[i], i, plain) / wavelengths[i];
                  return Math.abs(factor / factors.get(i) - 1) < TOLERANCE;
                });
  }

  private static Map<String, Object> described(int context, float factor) {
    Map<String, Object> rule = new LinkedHashMap<>();
    rule.put("rope_type", "llama3");
    rule.put("factor", factor);
    rule.put("low_freq_factor", LOW);
    rule.put("high_freq_factor", HIGH);
    rule.put("original_max_position_embeddings", context);
    return rule;
  }
}
