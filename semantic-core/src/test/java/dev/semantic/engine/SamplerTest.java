package dev.semantic.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.LogProbs;
import dev.semantic.generate.Sampling;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class SamplerTest {
  private static final int[] NOTHING = {};
  private static final float[] LOGITS = {0, 3, 1, 2.5f, -4, 3};

  @Test
  void greedyTakesTheMostLikelyAndOfEqualsTheFirst() {
    assertEquals(1, new Sampler(Sampling.GREEDY).next(LOGITS.clone(), NOTHING, 0, 0, null));
  }

  @Test
  void theSameSeedDrawsTheSameTokens() {
    Sampling sampling = Sampling.GREEDY.withTemperature(1).withSeed(7);
    Sampler one = new Sampler(sampling);
    Sampler other = new Sampler(sampling);
    for (int i = 0; i < 1000; i++) {
      assertEquals(draw(one), draw(other));
    }
  }

  @Test
  void drawsAsOftenAsTheProbabilitiesSay() {
    Sampler sampler = new Sampler(Sampling.GREEDY.withTemperature(2).withSeed(3));
    int draws = 200_000;
    int[] counts = new int[LOGITS.length];
    for (int i = 0; i < draws; i++) {
      counts[draw(sampler)]++;
    }
    double sum = 0;
    for (float logit : LOGITS) {
      sum += Math.exp(logit / 2);
    }
    for (int i = 0; i < counts.length; i++) {
      double expected = Math.exp(LOGITS[i] / 2) / sum;
      assertEquals(expected, counts[i] / (double) draws, 0.006, "token " + i);
    }
  }

  @Test
  void topKKeepsTheKMostLikely() {
    Sampling hot = Sampling.GREEDY.withTemperature(50);
    assertEquals(Set.of(1), drawn(hot.withTopK(1)));
    assertEquals(Set.of(1, 5, 3), drawn(hot.withTopK(3)));
    assertEquals(Set.of(0, 1, 2, 3, 4, 5), drawn(hot));
    assertEquals(Set.of(0, 1, 2, 3, 4, 5), drawn(hot.withTopK(100)));
  }

  @Test
  void topPKeepsTheSmallestSetThatReachesP() {
    Sampling hot = Sampling.GREEDY.withTemperature(1); // 1 and 5: 0.36 each, 3: 0.22
    assertEquals(Set.of(1), drawn(hot.withTopP(0.3)));
    assertEquals(Set.of(1, 5), drawn(hot.withTopP(0.7)));
    assertEquals(Set.of(1, 5, 3), drawn(hot.withTopP(0.9)));
  }

  @Test
  void minPDropsWhatIsMuchLessLikelyThanTheBest() {
    Sampling hot = Sampling.GREEDY.withTemperature(1); // 3: 0.61 of the best, 2: 0.14
    assertEquals(Set.of(1, 5, 3), drawn(hot.withMinP(0.5)));
    assertEquals(Set.of(1, 5, 3, 2), drawn(hot.withMinP(0.1)));
    assertEquals(Set.of(1, 5), drawn(hot.withMinP(1)));
  }

  @Test
  void repeatedTokensBecomeLessLikelyWithinTheWindow() {
    Sampling sampling = Sampling.GREEDY.withRepetitionPenalty(2);
    assertEquals(5, new Sampler(sampling).next(LOGITS.clone(), new int[] {1, 9}, 0, 1, null));
    assertEquals(3, new Sampler(sampling).next(LOGITS.clone(), new int[] {1, 5}, 0, 2, null));
    Sampling near = new Sampling(0, 0, 1, 0, 2, 1, 0);
    assertEquals(1, new Sampler(near).next(LOGITS.clone(), new int[] {1, 5}, 0, 2, null));
    float[] negative = {-1, -1.5f};
    assertEquals(1, new Sampler(sampling).next(negative, new int[] {0}, 0, 1, null));
  }

  @Test
  void aVanishingTemperatureIsGreedy() {
    assertEquals(Set.of(1, 5), drawn(Sampling.GREEDY.withTemperature(1e-9)));
  }

  @Test
  void infiniteLogitsAreNeverDrawn() {
    float[] logits = {Float.NEGATIVE_INFINITY, 1, Float.NEGATIVE_INFINITY, 1};
    Sampler sampler = new Sampler(Sampling.GREEDY.withTemperature(100));
    for (int i = 0; i < 1000; i++) {
      assertTrue(sampler.next(logits.clone(), NOTHING, 0, 0, null) % 2 == 1);
    }
  }

  @Test
  void valuesThatMeanNothingAreRefused() {
    Sampling usual = Sampling.GREEDY;
    assertThrows(IllegalArgumentException.class, () -> usual.withTemperature(-1));
    assertThrows(IllegalArgumentException.class, () -> usual.withTemperature(Double.NaN));
    assertThrows(IllegalArgumentException.class, () -> usual.withTopP(0));
    assertThrows(IllegalArgumentException.class, () -> usual.withTopK(-1));
    assertThrows(IllegalArgumentException.class, () -> usual.withMinP(1.1));
    assertThrows(IllegalArgumentException.class, () -> usual.withRepetitionPenalty(0));
  }

  private static int draw(Sampler sampler) {
    return sampler.next(LOGITS.clone(), NOTHING, 0, 0, null);
  }

  private static Set<Integer> drawn(Sampling sampling) {
    Sampler sampler = new Sampler(sampling);
    Set<Integer> tokens = new TreeSet<>();
    for (int i = 0; i < 2000; i++) {
      tokens.add(draw(sampler));
    }
    return tokens;
  }

  @Test
  void withoutASeedEachGenerationDrawsOthers() {
    assertNotEquals(drawnInOrder(Sampling.GREEDY), drawnInOrder(Sampling.GREEDY));
    assertEquals(
        drawnInOrder(Sampling.GREEDY.withSeed(0)), drawnInOrder(Sampling.GREEDY.withSeed(0)));
  }

  private static java.util.List<Integer> drawnInOrder(Sampling sampling) {
    Sampler sampler = new Sampler(sampling.withTemperature(50));
    return java.util.stream.IntStream.range(0, 100)
        .mapToObj(i -> sampler.next(LOGITS.clone(), NOTHING, 0, 0, null))
        .toList();
  }

  private static int next(Sampling sampling, float[] logits, int prompt, int... history) {
    return new Sampler(sampling).next(logits, history, prompt, history.length, null);
  }

  @Test
  void aBiasIsAdded() {
    assertEquals(4, next(Sampling.GREEDY.withLogitBias(Map.of(4, 8.0)), LOGITS.clone(), 0));
    Map<Integer, Double> away = Map.of(1, -100.0, 5, -100.0);
    assertEquals(3, next(Sampling.GREEDY.withLogitBias(away), LOGITS.clone(), 0));
  }

  @Test
  void frequencyAndPresenceCountInTheAnswerAlone() {
    Sampling present = Sampling.GREEDY.withPresencePenalty(1);
    assertEquals(1, next(present, LOGITS.clone(), 2, 1, 1)); // both in the prompt
    assertEquals(5, next(present, LOGITS.clone(), 1, 1, 1));
    Sampling frequent = Sampling.GREEDY.withFrequencyPenalty(0.3);
    assertEquals(3, next(frequent, LOGITS.clone(), 0, 1, 1, 5, 5));
    assertEquals(1, next(frequent, LOGITS.clone(), 0, 5, 5));
    assertEquals(3, next(Sampling.GREEDY.withFrequencyPenalty(-2), LOGITS.clone(), 0, 3));
  }

  @Test
  void onlyWhatIsAllowedIsDrawnAfterPenalties() {
    BitSet allowed = new BitSet();
    allowed.set(2);
    allowed.set(4);
    allowed.set(900); // beyond the logits
    Sampling hot = Sampling.GREEDY.withTemperature(100).withTopK(2);
    Sampler sampler = new Sampler(hot);
    Set<Integer> seen = new TreeSet<>();
    for (int i = 0; i < 200; i++) {
      seen.add(sampler.next(LOGITS.clone(), NOTHING, 0, 0, allowed));
    }
    assertEquals(Set.of(2, 4), seen);
    Sampling away = Sampling.GREEDY.withLogitBias(Map.of(2, -9.0));
    assertEquals(4, new Sampler(away).next(LOGITS.clone(), NOTHING, 0, 0, allowed));
  }

  @Test
  void logProbabilitiesAreThoseOfTheSoftmax() {
    float[] logits = LOGITS.clone();
    int token = new Sampler(Sampling.GREEDY).next(logits, NOTHING, 0, 0, null);
    double sum = 0;
    for (float logit : LOGITS) {
      sum += Math.exp(logit);
    }
    LogProbs told = Sampler.logProbs(logits, token, OptionalInt.of(3)).orElseThrow();
    assertEquals(3 - Math.log(sum), told.logProb(), 1e-6);
    assertEquals(List.of(1, 5, 3), told.top().stream().map(LogProbs.Candidate::token).toList());
    assertEquals(2.5 - Math.log(sum), told.top().getLast().logProb(), 1e-6);
    assertTrue(Sampler.logProbs(logits, token, OptionalInt.empty()).isEmpty());
  }

  @Test
  void whatCannotBeIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> Sampling.GREEDY.withPresencePenalty(2.1));
    assertThrows(
        IllegalArgumentException.class, () -> Sampling.GREEDY.withFrequencyPenalty(Double.NaN));
    assertThrows(
        IllegalArgumentException.class, () -> Sampling.GREEDY.withLogitBias(Map.of(-1, 1.0)));
    assertThrows(
        IllegalArgumentException.class, () -> Sampling.GREEDY.withLogitBias(Map.of(1, 101.0)));
  }
}
