package dev.semantic.generate;

import java.util.List;

/**
 * How likely a token was, as natural logarithms: after bias, penalties and constraint, at
 * temperature 1. One that had to come has 0.
 *
 * @param token that came
 * @param top the likeliest, most likely first, as many as were asked for
 */
public record LogProbs(int token, double logProb, List<Candidate> top) {
  /** The most that can be asked for. */
  public static final int MAX_TOP = 20;

  /** A token that could have come. */
  public record Candidate(int token, double logProb) {}

  public LogProbs {
    top = List.copyOf(top);
  }
}
