package dev.semantic.examples.server.clients;

import dev.semantic.examples.server.http.Fields;
import dev.semantic.examples.server.http.HttpFailure;
import dev.semantic.generate.Sampling;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;

/** What a request says about how tokens are drawn, and how many. */
public final class SamplingFields {
  /** The least of what top-p may be where a client says 0: the likeliest token, always. */
  private static final double SMALLEST = 1e-9;

  private SamplingFields() {}

  /**
   * What it changes.
   *
   * @param hottest the highest temperature that the interface knows
   * @throws HttpFailure 400 if a number makes no sense
   */
  public static UnaryOperator<Sampling> of(Fields body, double hottest) {
    OptionalDouble temperature = within(body, "temperature", 0, hottest);
    OptionalDouble topP = within(body, "top_p", 0, 1);
    OptionalInt topK = count(body, "top_k", 0);
    OptionalDouble minP = within(body, "min_p", 0, 1);
    OptionalDouble frequency = within(body, "frequency_penalty", -2, 2);
    OptionalDouble presence = within(body, "presence_penalty", -2, 2);
    OptionalLong seed = body.whole("seed");
    Map<Integer, Double> biases = biases(body);
    return usual -> {
      Sampling sampling = usual.withLogitBias(biases);
      sampling =
          temperature.isEmpty() ? sampling : sampling.withTemperature(temperature.getAsDouble());
      sampling =
          topP.isEmpty() ? sampling : sampling.withTopP(Math.max(SMALLEST, topP.getAsDouble()));
      sampling = topK.isEmpty() ? sampling : sampling.withTopK(topK.getAsInt());
      sampling = minP.isEmpty() ? sampling : sampling.withMinP(minP.getAsDouble());
      sampling =
          frequency.isEmpty() ? sampling : sampling.withFrequencyPenalty(frequency.getAsDouble());
      sampling =
          presence.isEmpty() ? sampling : sampling.withPresencePenalty(presence.getAsDouble());
      return seed.isEmpty() ? sampling : sampling.withSeed(seed.getAsLong());
    };
  }

  /**
   * A whole number that is none too small.
   *
   * @throws HttpFailure 400 if it is none
   */
  public static OptionalInt count(Fields body, String name, int least) {
    OptionalLong number = body.whole(name);
    if (number.isEmpty()) {
      return OptionalInt.empty();
    }
    if (number.getAsLong() < least) {
      throw HttpFailure.invalid(
          "%s must be %d or more; it is %d".formatted(name, least, number.getAsLong()));
    }
    return OptionalInt.of((int) Math.min(Integer.MAX_VALUE, number.getAsLong()));
  }

  private static OptionalDouble within(Fields body, String name, double least, double most) {
    OptionalDouble number = body.number(name);
    if (number.isPresent() && !(number.getAsDouble() >= least && number.getAsDouble() <= most)) {
      throw HttpFailure.invalid(
          "%s must be %s to %s; it is %s".formatted(name, least, most, number.getAsDouble()));
    }
    return number;
  }

  private static Map<Integer, Double> biases(Fields body) {
    Map<Integer, Double> biases = new HashMap<>();
    body.object("logit_bias")
        .ifPresent(
            said -> {
              for (String token : said.all().keySet()) {
                double bias =
                    said.number(token)
                        .orElseThrow(() -> HttpFailure.invalid("logit_bias has a null"));
                try {
                  biases.put(Integer.valueOf(token), bias);
                } catch (NumberFormatException e) {
                  throw HttpFailure.invalid(
                      "logit_bias: tokens are named by their numbers, not as '%s'"
                          .formatted(token));
                }
              }
            });
    return biases;
  }
}
