package dev.semantic.mlx;

import dev.semantic.engine.Sampling;
import dev.semantic.mlx.files.ModelDirectory;
import dev.semantic.model.ModelException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a model's makers recommend, where they say it: in a directory's generation_config.json. */
public final class ModelDefaults {
  /** What transformers takes where sampling is asked for and this is not said. */
  private static final int USUAL_TOP_K = 50;

  private ModelDefaults() {}

  /**
   * How to draw tokens, read as transformers reads it: greedy unless {@code do_sample} is true,
   * then by {@code temperature}, {@code top_k} (50 where it is not said), {@code top_p} and {@code
   * min_p}; in both cases with {@code repetition_penalty}. Without a seed. Any thread.
   *
   * @param model a model's file or directory
   * @return nothing where the model does not say, as a GGUF file does not
   * @throws ModelException if the file is damaged or asks for what cannot be
   */
  public static Optional<Sampling> sampling(Path model) {
    if (!ModelDirectory.isOne(model)) {
      return Optional.empty();
    }
    Map<String, @Nullable Object> said =
        ModelDirectory.of(model).jsonIfThere("generation_config.json");
    try {
      return sampling(said);
    } catch (IllegalArgumentException e) {
      throw new ModelException(
          ModelException.Kind.DAMAGED,
          "%s recommends what cannot be: %s"
              .formatted(model.resolve("generation_config.json"), e.getMessage()),
          e);
    }
  }

  private static Optional<Sampling> sampling(Map<String, @Nullable Object> said) {
    double penalty = number(said, "repetition_penalty", 1);
    if (!Boolean.TRUE.equals(said.get("do_sample"))) {
      boolean any = said.containsKey("do_sample") || said.containsKey("repetition_penalty");
      return any ? Optional.of(Sampling.GREEDY.withRepetitionPenalty(penalty)) : Optional.empty();
    }
    return Optional.of(
        Sampling.GREEDY
            .withTemperature(number(said, "temperature", 1))
            .withTopK((int) number(said, "top_k", USUAL_TOP_K))
            .withTopP(number(said, "top_p", 1))
            .withMinP(number(said, "min_p", 0))
            .withRepetitionPenalty(penalty));
  }

  private static double number(Map<String, @Nullable Object> said, String name, double otherwise) {
    return said.get(name) instanceof Number number ? number.doubleValue() : otherwise;
  }
}
