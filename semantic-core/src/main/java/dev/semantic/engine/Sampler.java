package dev.semantic.engine;

import dev.semantic.generate.LogProbs;
import dev.semantic.generate.RequestException;
import dev.semantic.generate.Sampling;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** Draws tokens from logits as a {@link Sampling} says. One per generation. */
final class Sampler {
  private final Sampling sampling;
  private final SplittableRandom random;

  Sampler(Sampling sampling) {
    this.sampling = sampling;
    this.random =
        sampling.seed().isPresent()
            ? new SplittableRandom(sampling.seed().getAsLong())
            : new SplittableRandom();
  }

  /**
   * The next token.
   *
   * @param logits {@code [vocabulary]}; may be changed
   * @param history tokens so far, the first {@code length} of them in use
   * @param prompt how many of those were not generated
   * @param allowed the only ones that may be drawn; null for all
   * @throws RequestException of the kind FAILED if one of the logits is not a number, or the
   *     greatest is infinite; a token whose logit is minus infinity is never drawn
   */
  int next(float[] logits, int[] history, int prompt, int length, @Nullable BitSet allowed) {
    sampling.logitBias().forEach((token, bias) -> logits[token] = (float) (logits[token] + bias));
    if (sampling.repetitionPenalty() != 1) {
      penalise(logits, history, length);
    }
    if (sampling.frequencyPenalty() != 0 || sampling.presencePenalty() != 0) {
      penaliseCounted(logits, history, prompt, length);
    }
    if (allowed != null) {
      mask(logits, allowed);
    }
    int best = argmax(logits);
    return sampling.temperature() == 0 ? best : draw(logits, logits[best]);
  }

  /** Keskar et al. 2019; each recent token once, however often it came. */
  private void penalise(float[] logits, int[] history, int length) {
    int from = Math.max(0, length - sampling.repetitionWindow());
    Arrays.stream(history, from, length)
        .distinct()
        .filter(token -> token >= 0 && token < logits.length)
        .forEach(
            token -> {
              double penalty = sampling.repetitionPenalty();
              double logit = logits[token];
              logits[token] = (float) (logit > 0 ? logit / penalty : logit * penalty);
            });
  }

  /** As OpenAI has them: by what was generated alone. */
  private void penaliseCounted(float[] logits, int[] history, int prompt, int length) {
    Map<Integer, Integer> counts = new HashMap<>();
    for (int i = prompt; i < length; i++) {
      counts.merge(history[i], 1, Integer::sum);
    }
    counts.forEach(
        (token, count) ->
            logits[token] -=
                (float) (sampling.presencePenalty() + count * sampling.frequencyPenalty()));
  }

  /**
   * How likely a token was.
   *
   * @param logits as {@link #next} has left them
   * @param top how many of the likeliest are told, if it is asked
   */
  static Optional<LogProbs> logProbs(float[] logits, int token, OptionalInt top) {
    if (top.isEmpty()) {
      return Optional.empty();
    }
    float greatest = logits[argmax(logits)];
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - greatest);
    }
    double all = greatest + Math.log(sum);
    List<LogProbs.Candidate> candidates =
        Arrays.stream(likeliest(logits, Float.NEGATIVE_INFINITY, top.getAsInt()))
            .filter(each -> logits[each] > Float.NEGATIVE_INFINITY)
            .mapToObj(each -> new LogProbs.Candidate(each, logits[each] - all))
            .toList();
    return Optional.of(new LogProbs(token, logits[token] - all, candidates));
  }

  /** Of a token that had to come. */
  static Optional<LogProbs> sure(int token, OptionalInt top) {
    if (top.isEmpty()) {
      return Optional.empty();
    }
    List<LogProbs.Candidate> alone =
        top.getAsInt() == 0 ? List.of() : List.of(new LogProbs.Candidate(token, 0));
    return Optional.of(new LogProbs(token, 0, alone));
  }

  private static void mask(float[] logits, BitSet allowed) {
    int from = allowed.nextClearBit(0);
    while (from < logits.length) {
      int next = allowed.nextSetBit(from);
      int to = next < 0 ? logits.length : Math.min(next, logits.length);
      Arrays.fill(logits, from, to, Float.NEGATIVE_INFINITY);
      from = allowed.nextClearBit(to);
    }
  }

  private static int argmax(float[] logits) {
    int best = -1;
    float greatest = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < logits.length; i++) {
      if (!(logits[i] <= greatest)) { // greater, or not a number
        best = i;
        greatest = logits[i];
        if (!Float.isFinite(greatest)) {
          throw noNumbers("the logit of token " + i + " is " + greatest);
        }
      }
    }
    if (best < 0) {
      throw noNumbers("none of its logits is finite");
    }
    return best;
  }

  private static RequestException noNumbers(String what) {
    return new RequestException(
        RequestException.Kind.FAILED, "The model computes no numbers: " + what);
  }

  private int draw(float[] logits, float greatest) {
    int[] kept = candidates(logits, greatest);
    double[] weights = new double[kept.length];
    double sum = 0;
    for (int i = 0; i < kept.length; i++) {
      weights[i] = Math.exp((logits[kept[i]] - greatest) / sampling.temperature());
      sum += weights[i];
    }
    int count = cut(weights, sum);
    double total = Arrays.stream(weights, 0, count).sum();
    double point = random.nextDouble() * total;
    for (int i = 0; i < count - 1; i++) {
      point -= weights[i];
      if (point < 0) {
        return kept[i];
      }
    }
    return kept[count - 1];
  }

  /**
   * The tokens that may be drawn, most likely first; ties by id, so that a seed always means the
   * same tokens.
   */
  private int[] candidates(float[] logits, float greatest) {
    // What is e^-40 times as likely as the best is never drawn: leave it out before sorting.
    double least = greatest - 40 * Math.max(sampling.temperature(), 1e-3);
    int most = sampling.topK() == 0 ? logits.length : sampling.topK();
    int[] tokens = likeliest(logits, least, most);
    return tokens.length == 0 ? new int[1] : tokens;
  }

  /** Tokens whose logits are {@code least} or more, most likely first, ties by id. */
  private static int[] likeliest(float[] logits, double least, int most) {
    long[] keys = new long[logits.length];
    int count = 0;
    for (int i = 0; i < logits.length; i++) {
      if (logits[i] >= least) {
        keys[count++] = descending(logits[i]) << 31 | i;
      }
    }
    Arrays.sort(keys, 0, count);
    int keep = Math.min(most, count);
    int[] tokens = new int[keep];
    for (int i = 0; i < keep; i++) {
      tokens[i] = (int) (keys[i] & Integer.MAX_VALUE);
    }
    return tokens;
  }

  /** 32 bits that sort a greater float before a smaller one. */
  private static long descending(float value) {
    int bits = Float.floatToIntBits(value);
    int ascending = bits < 0 ? ~bits : bits ^ 0x80000000;
    return ~ascending & 0xffffffffL;
  }

  /** How many candidates are left by top-p (Holtzman et al. 2019), then by min-p. */
  private int cut(double[] weights, double sum) {
    int count = weights.length;
    if (sampling.topP() < 1) {
      double reached = 0;
      int n = 0;
      while (n < count && reached < sampling.topP() * sum) {
        reached += weights[n++];
      }
      count = Math.max(1, n);
    }
    while (count > 1 && weights[count - 1] < sampling.minP() * weights[0]) {
      count--;
    }
    return count;
  }
}
