package dev.semantic.registry;

import static dev.semantic.scripted.ScriptedHouse.PATIENCE;
import static dev.semantic.scripted.ScriptedHouse.assertSays;
import static dev.semantic.scripted.ScriptedHouse.said;
import static dev.semantic.scripted.ScriptedHouse.tokens;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.RequestException;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.scripted.Fault;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.ScriptedHouse;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Models that come at the start, leave when idle, and come back when they are asked. */
class ResidencyTest {
  private static final ModelId ALPHA = Geometry.ALPHA.id();
  private static final Duration SOON = Duration.ofMillis(30);

  private static ScriptedHouse house(Residency residency) {
    return new ScriptedHouse(ScriptedHouse.ROOMY, builder -> builder.residency(residency));
  }

  @Test
  void anIdleModelLeavesAndComesBackForTheNextRequest() {
    try (ScriptedHouse house = house(Residency.idleFor(SOON).preloading(ALPHA))) {
      int[] ada = tokens(30, 1);
      int[] adaSaid = said(ada, house.ask("ada", ada));
      await()
          .atMost(PATIENCE)
          .until(() -> house.registry.current().isEmpty() && house.runtime.openModels() == 0);
      GenerationResult again = house.ask("ada", adaSaid);
      assertEquals(Geometry.ALPHA.tag(), again.model());
      assertEquals(adaSaid.length - 1, again.cachedTokens());
    }
  }

  @Test
  void aPinnedModelStays() throws Exception {
    Residency pinned = Residency.idleFor(SOON).preloading(ALPHA).pinning(ALPHA);
    try (ScriptedHouse house = house(pinned)) {
      Thread.sleep(SOON.multipliedBy(4)); // nothing to wait for: nothing is to happen
      assertEquals(Optional.of(ALPHA), house.registry.current().map(ModelSpec::id));
    }
  }

  @Test
  void theFirstThatCanBeIsPreloaded() {
    var residency = Residency.UNLIMITED.preloading(new ModelId("nowhere"), ALPHA);
    try (ScriptedHouse house = house(residency)) {
      assertEquals(Geometry.ALPHA.tag(), house.ask("ada", tokens(9, 1)).model());
    }
  }

  @Test
  void aFailureIsRememberedForAWhileAndNeverLatches() {
    var residency =
        new Residency(Optional.of(SOON), Set.of(), List.of(ALPHA), Duration.ofMillis(200));
    try (ScriptedHouse house = house(residency)) {
      await()
          .atMost(PATIENCE)
          .until(() -> house.registry.current().isEmpty() && house.runtime.openModels() == 0);
      house.script.failForGood(PortCall.LOAD, 1, Fault.DECLARED);
      var first = assertThrows(RequestException.class, () -> house.ask("ada", tokens(9, 1)));
      assertSays("alpha cannot be brought back", first);
      var second = assertThrows(RequestException.class, () -> house.ask("ada", tokens(9, 1)));
      assertTrue(second.retryAfter().isPresent());
      assertEquals(1, house.script.count(PortCall.LOAD), "it was tried for each request");
      house.script.heal();
      await().atMost(PATIENCE).until(() -> answers(house));
    }
  }

  private static boolean answers(ScriptedHouse house) {
    try {
      return house.ask("ada", tokens(9, 1)).model().equals(Geometry.ALPHA.tag());
    } catch (RequestException notYet) {
      return false;
    }
  }
}
