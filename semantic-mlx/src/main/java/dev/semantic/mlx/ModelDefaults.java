package dev.semantic.mlx;

import dev.semantic.mlx.files.ModelDirectory;
import dev.semantic.model.SamplingDefaults;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a model's makers recommend, where they say it: in a directory's generation_config.json. */
final class ModelDefaults {
  /** What transformers takes where sampling is asked for and this is not said. */
  private static final int USUAL_TOP_K = 50;

  private ModelDefaults() {}

  /**
   * How to draw tokens, read as transformers reads it: greedy unless {@code do_sample} is true,
   * then by {@code temperature}, {@code top_k} (50 where it is not said), {@code top_p} and {@code
   * min_p}; in both cases with {@code repetition_penalty}.
   *
   * @param model a model's file or directory; a GGUF file says nothing
   */
  static SamplingDefaults of(Path model) {
    if (!ModelDirectory.isOne(model)) {
      return SamplingDefaults.NONE;
    }
    Map<String, @Nullable Object> said =
        ModelDirectory.of(model).jsonIfThere("generation_config.json");
    double penalty = number(said, "repetition_penalty", 1);
    return Boolean.TRUE.equals(said.get("do_sample"))
        ? new SamplingDefaults(
            number(said, "temperature", 1),
            (int) number(said, "top_k", USUAL_TOP_K),
            number(said, "top_p", 1),
            number(said, "min_p", 0),
            penalty)
        : new SamplingDefaults(0, 0, 1, 0, penalty);
  }

  private static double number(Map<String, @Nullable Object> said, String name, double otherwise) {
    return said.get(name) instanceof Number number ? number.doubleValue() : otherwise;
  }
}
