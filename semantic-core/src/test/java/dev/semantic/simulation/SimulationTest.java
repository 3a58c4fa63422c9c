package dev.semantic.simulation;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/**
 * Thousands of runs, each with its own schedule, requests, swaps, faults and hangs. A run that
 * fails names its seed; {@code -Dsemantic.simulation.seed=N} runs that one again, and only that.
 */
class SimulationTest {
  private static final long RUNS = Long.getLong("semantic.simulation.runs", 10_000);
  private static final long FIRST = Long.getLong("semantic.simulation.first", 1);

  @Test
  void whateverTheOrderNothingIsLostAndSomebodyServes() {
    Long only = Long.getLong("semantic.simulation.seed");
    if (only != null) {
      run(only);
      return;
    }
    LongStream.range(FIRST, FIRST + RUNS).forEach(SimulationTest::run);
  }

  /** Each of these failed once. */
  @ParameterizedTest
  @CsvFileSource(resources = "/simulation/seeds.csv")
  void aSeedThatFailedOnceIsRunForEver(long seed) {
    run(seed);
  }

  private static void run(long seed) {
    try {
      Scenario.run(seed);
    } catch (Throwable t) {
      throw new AssertionError("seed " + seed + ": -Dsemantic.simulation.seed=" + seed, t);
    }
  }
}
