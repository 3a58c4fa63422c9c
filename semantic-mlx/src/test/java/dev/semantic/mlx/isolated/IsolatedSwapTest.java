package dev.semantic.mlx.isolated;

import static dev.semantic.scripted.ScriptedHost.assertSays;
import static dev.semantic.scripted.ScriptedHost.tokens;
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
import dev.semantic.scripted.ScriptedHost;
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
    return strategy == SwapStrategy.MAKE_BEFORE_BREAK ? ScriptedHost.ROOMY : ScriptedHost.TIGHT;
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
    try (IsolatedHost host = new IsolatedHost(directory, budget(strategy), new SwapListener() {})) {
      host.registry.load(Geometry.BETA.id());
      int[] eve = host.turn("eve", tokens(40, 3));
      host.registry.swapWithRollback(Geometry.ALPHA.id());
      int[] ada = host.turn("ada", tokens(120, 1));
      int[] bob = host.turn("bob", tokens(30, 2));

      host.troubles.at(call, way);
      SwapReport report = swap(host);
      assertTrue(host.troubles.happened(call, way), "it never happened");
      assertEquals(strategy, report.plan().map(plan -> plan.strategy()).orElse(strategy));
      assertEquals(report.serving(), host.registry.current().map(spec -> spec.id()));

      host.ask("somebody", tokens(9, 9));
      remembersOrMisses(host, Geometry.ALPHA, "ada", ada);
      remembersOrMisses(host, Geometry.ALPHA, "bob", bob);
      remembersOrMisses(host, Geometry.BETA, "eve", eve);
    }
  }

  private static SwapReport swap(IsolatedHost host) {
    try {
      return host.registry.swapWithRollback(Geometry.BETA.id());
    } catch (ModelSwapException failed) {
      assertEquals(Optional.of(Geometry.ALPHA.id()), failed.serving().map(spec -> spec.id()));
      return failed.report();
    }
  }

  /** All of the conversation, but its last token, or nothing; what it hears is checked anyway. */
  private static void remembersOrMisses(IsolatedHost host, Geometry model, String agent, int[] said)
      throws ModelSwapException {
    if (host.serving() != model) {
      host.registry.swapWithRollback(model.id());
    }
    int cached = host.ask(agent, said).cachedTokens();
    assertTrue(cached == said.length - 1 || cached == 0, () -> agent + " remembers " + cached);
  }

  /** What was parked when the new model's process died is not lost with it. */
  @ParameterizedTest
  @EnumSource(
      value = SwapStrategy.class,
      names = {"MAKE_BEFORE_BREAK", "BREAK_BEFORE_MAKE"})
  void aDeathWhileLoadingIsAFailedPhaseAndNobodyForgets(SwapStrategy strategy) throws Exception {
    try (IsolatedHost host = new IsolatedHost(directory, budget(strategy), new SwapListener() {})) {
      host.registry.load(Geometry.ALPHA.id());
      int[] ada = host.turn("ada", tokens(120, 1));
      host.troubles.at(PortCall.LOAD, Trouble.KILLED);
      var failed =
          assertThrows(
              ModelSwapException.class, () -> host.registry.swapWithRollback(Geometry.BETA.id()));
      assertEquals(SwapPhase.LOADING, failed.phase());
      assertEquals(SwapOutcome.ROLLED_BACK, failed.report().outcome());
      assertSays("SIGKILL", failed);
      assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
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
    try (IsolatedHost host = new IsolatedHost(directory, budget(strategy), killing)) {
      host.registry.load(Geometry.ALPHA.id());
      int[] ada = host.turn("ada", tokens(40, 1));
      troubles.holdAt(PortCall.FORWARD);
      Generation zoe = host.begin("zoe", tokens(12, 4));
      troubles.awaitHeld(PortCall.FORWARD);
      troubles.at(PortCall.FORWARD, Trouble.KILLED);
      swap(host);
      assertTrue(troubles.happened(PortCall.FORWARD, Trouble.KILLED), "it never happened");
      assertToldOrAnswered(zoe);
      host.ask("somebody", tokens(9, 9));
      remembersOrMisses(host, Geometry.ALPHA, "ada", ada);
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
    try (IsolatedHost host =
        new IsolatedHost(directory, ScriptedHost.ROOMY, new SwapListener() {})) {
      host.registry.load(Geometry.ALPHA.id());
      int[] ada = host.turn("ada", tokens(40, 1));
      for (Trouble way : WAYS) {
        host.troubles.at(PortCall.FORWARD, way);
        var told = assertThrows(RequestException.class, () -> host.ask("bob", tokens(30, 2)));
        assertSays(way.sign, told);
        host.ask("bob", tokens(30, 2));
        remembersOrMisses(host, Geometry.ALPHA, "ada", ada);
      }
    }
  }

  @Test
  void anUnknownModelIsRefusedBeforeAnythingIsTouched() throws Exception {
    try (IsolatedHost host =
        new IsolatedHost(directory, ScriptedHost.TIGHT, new SwapListener() {})) {
      host.registry.load(Geometry.ALPHA.id());
      int[] ada = host.turn("ada", tokens(40, 1));
      List<Long> before = Troubles.pids(host.runtime);
      var refused =
          assertThrows(
              ModelSwapException.class,
              () -> host.registry.swapWithRollback(new ModelId("nowhere")));
      assertEquals(SwapPhase.PREPARING, refused.phase());
      assertSays("no scripted model nowhere", refused);
      assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
      assertEquals(before, Troubles.pids(host.runtime), "a process too many");
    }
  }

  @Test
  void anUnloadEndsTheProcessAndNothingIsLeft() throws Exception {
    try (IsolatedHost host =
        new IsolatedHost(directory, ScriptedHost.ROOMY, new SwapListener() {})) {
      host.registry.load(Geometry.ALPHA.id());
      host.ask("ada", tokens(40, 1));
      List<Long> pids = Troubles.pids(host.runtime);
      assertTrue(host.runtime.memory().activeBytes() > 0);
      SwapReport report = host.registry.unload();
      assertEquals(0, report.activeAfter().bytes());
      assertEquals(0, host.runtime.memory().activeBytes());
      Troubles.assertGone(pids);
      host.registry.load(Geometry.BETA.id());
      host.ask("ada", tokens(40, 1));
    }
  }
}
