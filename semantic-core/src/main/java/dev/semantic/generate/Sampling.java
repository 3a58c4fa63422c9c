package dev.semantic.generate;

import dev.semantic.model.ModelException;
import dev.semantic.model.ModelSpec;
import dev.semantic.model.SamplingDefaults;
import java.util.OptionalLong;

/**
 * How the next token is drawn from the logits. The steps are applied in this order: repetition
 * penalty, temperature, top-k, top-p, min-p.
 *
 * @param temperature 0 means greedy: the most likely token, always
 * @param topK keep the k most likely; 0 keeps all
 * @param topP keep the smallest set whose probability reaches p; 1 keeps all
 * @param minP drop what is less likely than p times the most likely; 0 drops none
 * @param repetitionPenalty divides positive and multiplies negative logits of recent tokens; 1 does
 *     nothing
 * @param repetitionWindow how many recent tokens are penalised
 * @param seed the same seed draws the same tokens from the same logits; without, each generation
 *     draws others
 */
public record Sampling(
    double temperature,
    int topK,
    double topP,
    double minP,
    double repetitionPenalty,
    int repetitionWindow,
    OptionalLong seed) {
  /** The most likely token, always. */
  public static final Sampling GREEDY = new Sampling(0, 0, 1, 0, 1, 64, OptionalLong.empty());

  public Sampling {
    require(temperature >= 0 && temperature <= 100, "temperature", temperature, "0 to 100");
    require(topK >= 0, "top-k", topK, "0 or more");
    require(topP > 0 && topP <= 1, "top-p", topP, "more than 0, at most 1");
    require(minP >= 0 && minP <= 1, "min-p", minP, "0 to 1");
    require(
        repetitionPenalty > 0 && repetitionPenalty <= 100,
        "repetition penalty",
        repetitionPenalty,
        "more than 0, at most 100");
    require(repetitionWindow >= 0, "repetition window", repetitionWindow, "0 or more");
  }

  /**
   * What a model's makers recommend, the most likely token where they recommend nothing. Without a
   * seed.
   *
   * @throws ModelException if they recommend what cannot be
   */
  public static Sampling recommendedBy(ModelSpec model) {
    SamplingDefaults said = model.sampling();
    try {
      return GREEDY
          .withTemperature(said.temperature())
          .withTopK(said.topK())
          .withTopP(said.topP())
          .withMinP(said.minP())
          .withRepetitionPenalty(said.repetitionPenalty());
    } catch (IllegalArgumentException e) {
      throw new ModelException(
          ModelException.Kind.DAMAGED,
          "What %s recommends for drawing tokens cannot be: %s; say it in the request"
              .formatted(model.id(), e.getMessage()),
          e);
    }
  }

  /** With a seed. */
  public Sampling(
      double temperature,
      int topK,
      double topP,
      double minP,
      double repetitionPenalty,
      int repetitionWindow,
      long seed) {
    this(temperature, topK, topP, minP, repetitionPenalty, repetitionWindow, OptionalLong.of(seed));
  }

  private static void require(boolean holds, String name, double value, String range) {
    if (!holds) {
      throw new IllegalArgumentException(name + " must be " + range + "; it is " + value);
    }
  }

  public Sampling withTemperature(double value) {
    return new Sampling(value, topK, topP, minP, repetitionPenalty, repetitionWindow, seed);
  }

  public Sampling withTopK(int value) {
    return new Sampling(temperature, value, topP, minP, repetitionPenalty, repetitionWindow, seed);
  }

  public Sampling withTopP(double value) {
    return new Sampling(temperature, topK, value, minP, repetitionPenalty, repetitionWindow, seed);
  }

  public Sampling withMinP(double value) {
    return new Sampling(temperature, topK, topP, value, repetitionPenalty, repetitionWindow, seed);
  }

  public Sampling withRepetitionPenalty(double value) {
    return new Sampling(temperature, topK, topP, minP, value, repetitionWindow, seed);
  }

  public Sampling withSeed(long value) {
    return new Sampling(temperature, topK, topP, minP, repetitionPenalty, repetitionWindow, value);
  }
}
