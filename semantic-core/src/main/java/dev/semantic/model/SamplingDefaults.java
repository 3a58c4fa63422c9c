package dev.semantic.model;

/**
 * How a model's makers recommend to draw tokens, as they say it: nobody has looked whether it can
 * be. {@link dev.semantic.generate.Sampling#recommendedBy} does, and makes something of it.
 *
 * @param temperature 0 for the most likely token, always
 * @param topK 0 for all
 * @param topP 1 for all
 * @param minP 0 for all
 * @param repetitionPenalty 1 for none
 */
public record SamplingDefaults(
    double temperature, int topK, double topP, double minP, double repetitionPenalty) {
  /** They say nothing. */
  public static final SamplingDefaults NONE = new SamplingDefaults(0, 0, 1, 0, 1);
}
