package dev.semantic.generate;

import dev.semantic.model.ModelException;
import dev.semantic.model.ModelSpec;
import dev.semantic.model.SamplingDefaults;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * How the next token is drawn from the logits. The steps are applied in this order: bias,
 * repetition penalty, frequency and presence penalty, then what a {@link Constraint} allows,
 * temperature, top-k, top-p, min-p.
 *
 * @param temperature 0 means greedy: the most likely token, always
 * @param topK keep the k most likely; 0 keeps all
 * @param topP keep the smallest set whose probability reaches p; 1 keeps all
 * @param minP drop what is less likely than p times the most likely; 0 drops none
 * @param repetitionPenalty divides positive and multiplies negative logits of recent tokens; 1 does
 *     nothing
 * @param repetitionWindow how many recent tokens are penalised
 * @param seed the same seed draws the same tokens from the same logits, whatever else is computed
 *     beside; without, each generation draws others
 * @param frequencyPenalty taken from a token's logit for each time that the answer has it; -2 to 2
 * @param presencePenalty taken from a token's logit if the answer has it; -2 to 2
 * @param logitBias added to the logits of these tokens; -100 to 100
 */
public record Sampling(
    double temperature,
    int topK,
    double topP,
    double minP,
    double repetitionPenalty,
    int repetitionWindow,
    OptionalLong seed,
    double frequencyPenalty,
    double presencePenalty,
    Map<Integer, Double> logitBias) {
  /** The most likely token, always. */
  public static final Sampling GREEDY =
      new Sampling(0, 0, 1, 0, 1, 64, OptionalLong.empty(), 0, 0, Map.of());

  /** How many tokens may be given a bias. */
  public static final int MAX_BIASES = 1_000;

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
    require(isWithin(frequencyPenalty, 2), "frequency penalty", frequencyPenalty, "-2 to 2");
    require(isWithin(presencePenalty, 2), "presence penalty", presencePenalty, "-2 to 2");
    logitBias = Map.copyOf(logitBias);
    require(logitBias.size() <= MAX_BIASES, "tokens with a bias", logitBias.size(), "at most 1000");
    logitBias.forEach(
        (token, bias) -> {
          require(token >= 0, "token with a bias", token, "0 or more");
          require(isWithin(bias, 100), "bias of token " + token, bias, "-100 to 100");
        });
  }

  private static boolean isWithin(double value, double bound) {
    return Math.abs(value) <= bound;
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

  /** Without frequency and presence penalty, and without biases. */
  public Sampling(
      double temperature,
      int topK,
      double topP,
      double minP,
      double repetitionPenalty,
      int repetitionWindow,
      OptionalLong seed) {
    this(temperature, topK, topP, minP, repetitionPenalty, repetitionWindow, seed, 0, 0, Map.of());
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
    return with(copy -> copy.temperature = value);
  }

  public Sampling withTopK(int value) {
    return with(copy -> copy.topK = value);
  }

  public Sampling withTopP(double value) {
    return with(copy -> copy.topP = value);
  }

  public Sampling withMinP(double value) {
    return with(copy -> copy.minP = value);
  }

  public Sampling withRepetitionPenalty(double value) {
    return with(copy -> copy.repetitionPenalty = value);
  }

  public Sampling withSeed(long value) {
    return with(copy -> copy.seed = OptionalLong.of(value));
  }

  public Sampling withFrequencyPenalty(double value) {
    return with(copy -> copy.frequencyPenalty = value);
  }

  public Sampling withPresencePenalty(double value) {
    return with(copy -> copy.presencePenalty = value);
  }

  public Sampling withLogitBias(Map<Integer, Double> value) {
    return with(copy -> copy.logitBias = value);
  }

  private Sampling with(Consumer<Copy> change) {
    Copy copy = new Copy(this);
    change.accept(copy);
    return copy.done();
  }

  /** One that may still be changed. */
  private static final class Copy {
    private double temperature;
    private int topK;
    private double topP;
    private double minP;
    private double repetitionPenalty;
    private final int repetitionWindow;
    private OptionalLong seed;
    private double frequencyPenalty;
    private double presencePenalty;
    private Map<Integer, Double> logitBias;

    private Copy(Sampling of) {
      temperature = of.temperature;
      topK = of.topK;
      topP = of.topP;
      minP = of.minP;
      repetitionPenalty = of.repetitionPenalty;
      repetitionWindow = of.repetitionWindow;
      seed = of.seed;
      frequencyPenalty = of.frequencyPenalty;
      presencePenalty = of.presencePenalty;
      logitBias = of.logitBias;
    }

    private Sampling done() {
      return new Sampling(
          temperature,
          topK,
          topP,
          minP,
          repetitionPenalty,
          repetitionWindow,
          seed,
          frequencyPenalty,
          presencePenalty,
          logitBias);
    }
  }
}
