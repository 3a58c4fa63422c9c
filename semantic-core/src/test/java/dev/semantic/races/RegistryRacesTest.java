package dev.semantic.races;

import org.jetbrains.lincheck.datastructures.StressOptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The public calls of a registry, from three threads at once. {@code -Dsemantic.races=N} makes N
 * scenarios of them instead of a few.
 */
class RegistryRacesTest {
  private static final int SCENARIOS = Integer.getInteger("semantic.races", 20);
  private static final int TIMES_EACH = 40;

  @ParameterizedTest
  @ValueSource(classes = {RacingRegistry.Roomy.class, RacingRegistry.Tight.class})
  void whateverTheyComeBackWithIsExplained(Class<? extends RacingRegistry> registry) {
    new StressOptions()
        .iterations(SCENARIOS)
        .invocationsPerIteration(TIMES_EACH)
        .threads(3)
        .actorsPerThread(3)
        .actorsBefore(0)
        .actorsAfter(0)
        .verifier(Explained.class)
        .minimizeFailedScenario(false)
        .check(registry);
  }
}
