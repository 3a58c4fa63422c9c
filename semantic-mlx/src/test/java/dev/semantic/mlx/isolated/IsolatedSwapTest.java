package dev.semantic.mlx.isolated;

import static dev.semantic.scripted.ScriptedHouse.assertSays;
import static dev.semantic.scripted.ScriptedHouse.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.RequestException;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelId;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.ScriptedHouse;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapListener;
import dev.semantic.swap.SwapOutcome;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapReport;
import dev.semantic.swap.SwapStrategy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The process of a model dies in the middle of a swap, at every call that a swap makes of it: the
 * registry serves afterwards, the new model or the old one, and no agent hears a wrong word.
 */
class IsolatedSwapTest {
  private static final List<Trouble> WAYS =
      List.of(Trouble.KILLED, Trouble.SEGMENTATION_FAULT, Trouble.SYSTEM_EXIT);

  @TempDir Path directory;

  private static ByteSize budget(SwapStrategy strategy) {
    return strategy == SwapStrategy.MAKE_BEFORE_BREAK ? ScriptedHouse.ROOMY : ScriptedHouse.TIGHT;
  }

  /** Each call in each strategy, each time in another way; all ways of all calls take too long. */
  static Stream<Arguments> everyCallOfASwap() {
    List<Arguments> all = new ArrayList<>();
    for (SwapStrategy strategy :
        List.of(SwapStrategy.MAKE_BEFORE_BREAK, SwapStrategy.BREAK_BEFORE_MAKE)) {
      for (PortCall call :
          List.of(
              PortCall.PREPARE,
              PortCall.TEXT,
              PortCall.READ_AHEAD,
              PortCall.LOAD,
              PortCall.SNAPSHOT,
              PortCall.SEQUENCE_CLOSE,
              PortCall.RESTORE,
              PortCall.ACTIVE_BYTES)) {
        if (call != PortCall.READ_AHEAD || strategy == SwapStrategy.BREAK_BEFORE_MAKE) {
          all.add(Arguments.of(strategy, call, WAYS.get(all.size() % WAYS.size())));
        }
      }
    }
    return all.stream();
  }

  @ParameterizedTest(name = "{0}: {2} in {1}")
  @MethodSource("everyCallOfASwap")
  void aDeathOnTheWayLeavesARegistryThatServes(SwapStrategy strategy, PortCall call, Trouble way)
      throws Exception {
    try (IsolatedHouse house =
        new IsolatedHouse(directory, budget(strategy), new SwapListener() {})) {
      house.registry.load(Geometry.BETA.id());
      int[] eve = house.turn("eve", tokens(40, 3));
      house.registry.swapWithRollback(Geometry.ALPHA.id());
      int[] ada = house.turn("ada", tokens(120, 1));
      int[] bob = house.turn("bob", tokens(30, 2));

      house.troubles.at(call, way);
      SwapReport report = swap(house);
      assertTrue(house.troubles.happened(call, way), "it never happened");
      assertEquals(strategy, report.plan().map(plan -> plan.strategy()).orElse(strategy));
      assertEquals(report.serving(), house.registry.current().map(spec -> spec.id()));

      house.ask("somebody", tokens(9, 9));
      remembersOrMisses(house, Geometry.ALPHA, "ada", ada);
      remembersOrMisses(house, Geometry.ALPHA, "bob", bob);
      remembersOrMisses(house, Geometry.BETA, "eve", eve);
    }
  }

  private static SwapReport swap(IsolatedHouse house) {
    try {
      return house.registry.swapWithRollback(Geometry.BETA.id());
    } catch (ModelSwapException failed) {
      assertEquals(Optional.of(Geometry.ALPHA.id()), failed.serving().map(spec -> spec.id()));
      return failed.report();
    }
  }

  /** All of the conversation, but its last token, or nothing; what it hears is checked anyway. */
  private static void remembersOrMisses(
      IsolatedHouse house, Geometry model, String agent, int[] said) throws ModelSwapException {
    if (house.serving() != model) {
      house.registry.swapWithRollback(model.id());
    }
    int cached = house.ask(agent, said).cachedTokens();
    assertTrue(cached == said.length - 1 || cached == 0, () -> agent + " remembers " + cached);
  }

  /** What was parked when the new model's process died is not lost with it. */
  @ParameterizedTest
  @EnumSource(
      value = SwapStrategy.class,
      names = {"MAKE_BEFORE_BREAK", "BREAK_BEFORE_MAKE"})
  void aDeathWhileLoadingIsAFailedPhaseAndNobodyForgets(SwapStrategy strategy) throws Exception {
    try (IsolatedHouse house =
        new IsolatedHouse(directory, budget(strategy), new SwapListener() {})) {
      house.registry.load(Geometry.ALPHA.id());
      int[] ada = house.turn("ada", tokens(120, 1));
      house.troubles.at(PortCall.LOAD, Trouble.KILLED);
      var failed =
          assertThrows(
              ModelSwapException.class, () -> house.registry.swapWithRollback(Geometry.BETA.id()));
      assertEquals(SwapPhase.LOADING, failed.phase());
      assertEquals(SwapOutcome.ROLLED_BACK, failed.report().outcome());
      assertSays("SIGKILL", failed);
      assertEquals(ada.length - 1, house.ask("ada", ada).cachedTokens());
    }
  }

  /** The old model's process dies under a request that the swap waits for. */
  @ParameterizedTest
  @EnumSource(
      value = SwapStrategy.class,
      names = {"MAKE_BEFORE_BREAK", "BREAK_BEFORE_MAKE"})
  void aDeathWhileDrainingFailsTheRequestAndNotTheHost(SwapStrategy strategy) throws Exception {
    Troubles troubles = new Troubles(directory);
    SwapListener killing =
        new SwapListener() {
          @Override
          public void phase(SwapPhase phase) {
            if (phase == SwapPhase.DRAINING) {
              troubles.releaseIfHeld(PortCall.FORWARD);
            }
          }
        };
    try (IsolatedHouse house = new IsolatedHouse(directory, budget(strategy), killing)) {
      house.registry.load(Geometry.ALPHA.id());
      int[] ada = house.turn("ada", tokens(40, 1));
      troubles.holdAt(PortCall.FORWARD);
      Generation zoe = house.begin("zoe", tokens(12, 4));
      troubles.awaitHeld(PortCall.FORWARD);
      troubles.at(PortCall.FORWARD, Trouble.KILLED);
      swap(house);
      assertTrue(troubles.happened(PortCall.FORWARD, Trouble.KILLED), "it never happened");
      assertToldOrAnswered(zoe);
      house.ask("somebody", tokens(9, 9));
      remembersOrMisses(house, Geometry.ALPHA, "ada", ada);
    }
  }

  private static void assertToldOrAnswered(Generation generation) {
    try {
      GenerationResult result = generation.await(Troubles.PATIENCE);
      assertEquals(Geometry.ALPHA.tag(), result.model());
      assertEquals(Geometry.ALPHA.answer(tokens(12, 4), 5), result.tokens());
    } catch (RequestException told) {
      assertTrue(generation.isDone(), "a request was lost");
      assertSays("SIGKILL", told);
    }
  }

  @Test
  void aDeathUnderServingCostsARequestAndNoSwap() throws Exception {
    try (IsolatedHouse house =
        new IsolatedHouse(directory, ScriptedHouse.ROOMY, new SwapListener() {})) {
      house.registry.load(Geometry.ALPHA.id());
      int[] ada = house.turn("ada", tokens(40, 1));
      for (Trouble way : WAYS) {
        house.troubles.at(PortCall.FORWARD, way);
        var told = assertThrows(RequestException.class, () -> house.ask("bob", tokens(30, 2)));
        assertSays(way.sign, told);
        house.ask("bob", tokens(30, 2));
        remembersOrMisses(house, Geometry.ALPHA, "ada", ada);
      }
    }
  }

  @Test
  void anUnknownModelIsRefusedBeforeAnythingIsTouched() throws Exception {
    try (IsolatedHouse house =
        new IsolatedHouse(directory, ScriptedHouse.TIGHT, new SwapListener() {})) {
      house.registry.load(Geometry.ALPHA.id());
      int[] ada = house.turn("ada", tokens(40, 1));
      List<Long> before = Troubles.pids(house.runtime);
      var refused =
          assertThrows(
              ModelSwapException.class,
              () -> house.registry.swapWithRollback(new ModelId("nowhere")));
      assertEquals(SwapPhase.PREPARING, refused.phase());
      assertSays("no scripted model nowhere", refused);
      assertEquals(ada.length - 1, house.ask("ada", ada).cachedTokens());
      assertEquals(before, Troubles.pids(house.runtime), "a process too many");
    }
  }

  @Test
  void anUnloadEndsTheProcessAndNothingIsLeft() throws Exception {
    try (IsolatedHouse house =
        new IsolatedHouse(directory, ScriptedHouse.ROOMY, new SwapListener() {})) {
      house.registry.load(Geometry.ALPHA.id());
      house.ask("ada", tokens(40, 1));
      List<Long> pids = Troubles.pids(house.runtime);
      assertTrue(house.runtime.memory().activeBytes() > 0);
      SwapReport report = house.registry.unload();
      assertEquals(0, report.activeAfter().bytes());
      assertEquals(0, house.runtime.memory().activeBytes());
      Troubles.assertGone(pids);
      house.registry.load(Geometry.BETA.id());
      house.ask("ada", tokens(40, 1));
    }
  }
}
