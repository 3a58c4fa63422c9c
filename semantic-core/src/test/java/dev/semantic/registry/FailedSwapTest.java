package dev.semantic.registry;

import static dev.semantic.scripted.ScriptedHouse.PATIENCE;
import static dev.semantic.scripted.ScriptedHouse.assertSays;
import static dev.semantic.scripted.ScriptedHouse.request;
import static dev.semantic.scripted.ScriptedHouse.said;
import static dev.semantic.scripted.ScriptedHouse.tokens;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.FinishReason;
import dev.semantic.generate.Generation;
import dev.semantic.generate.RequestException;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.RegistryStatus.Activity;
import dev.semantic.scripted.Elsewhere;
import dev.semantic.scripted.Fault;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHouse;
import dev.semantic.swap.DrainTimeoutException;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapOutcome;
import dev.semantic.swap.SwapPhase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Swaps that fail, each in a way that a host must be able to rely on. */
class FailedSwapTest {
  private static final ModelId ALPHA = Geometry.ALPHA.id();
  private static final ModelId BETA = Geometry.BETA.id();

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aDrainThatRunsOutOfTimeLeavesTheOldModelServing(boolean roomy) throws Exception {
    try (ScriptedHouse house =
        ScriptedHouse.serving(Geometry.ALPHA, roomy ? ScriptedHouse.ROOMY : ScriptedHouse.TIGHT)) {
      Script.Hold hold = house.script.hold(PortCall.FORWARD);
      Generation running = house.ask(request("ada", 5, tokens(20, 1)));
      hold.awaitReached();
      var soon = SwapOptions.builder().drainTimeout(Duration.ofMillis(30)).build();
      var refused =
          assertThrows(ModelSwapException.class, () -> house.registry.swapWithRollback(BETA, soon));
      assertInstanceOf(DrainTimeoutException.class, refused.getCause());
      assertEquals(SwapPhase.DRAINING, refused.phase());
      assertEquals(SwapOutcome.REFUSED, refused.report().outcome());
      assertEquals(Optional.of(ALPHA), refused.serving().map(ModelSpec::id));
      Generation late = house.ask(request("bob", 1, tokens(20, 1)));
      hold.release();
      assertFalse(running.await(PATIENCE).reason() == FinishReason.CANCELLED);
      assertEquals(Geometry.ALPHA.tag(), late.await(PATIENCE).model());
      house.registry.swapWithRollback(BETA);
    }
  }

  @Test
  void whatCannotServeIsRefusedBeforeAnythingIsTouched() throws Exception {
    try (ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA, new ByteSize(1_800_000))) {
      int[] ada = said(tokens(30, 1), house.ask("ada", tokens(30, 1)));
      var unknown =
          assertThrows(
              ModelSwapException.class,
              () -> house.registry.swapWithRollback(new ModelId("nowhere")));
      assertSays("no scripted model nowhere (alpha goes on serving)", unknown);
      var tooLarge =
          assertThrows(ModelSwapException.class, () -> house.registry.swapWithRollback(BETA));
      assertSays("more than the budget of", tooLarge);
      for (ModelSwapException refused : List.of(unknown, tooLarge)) {
        assertEquals(SwapPhase.PREPARING, refused.phase());
        assertEquals(SwapOutcome.REFUSED, refused.report().outcome());
        assertEquals(Duration.ZERO, refused.report().blackout());
      }
      assertEquals(1, house.runtime.openPrepared());
      assertEquals(ada.length - 1, house.ask("ada", ada).cachedTokens());
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatTheNewModelAnsweredIsKeptWhenItHasToGoAgain(boolean parks) throws Exception {
    try (ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA)) {
      List<int[]> ada = new ArrayList<>();
      SwapOptions options =
          SwapOptions.builder()
              .guard(
                  phase -> {
                    if (phase == SwapPhase.UNLOADING) { // both are there, and the new one serves
                      ada.add(said(tokens(30, 1), house.ask("ada", tokens(30, 1))));
                      if (!parks) {
                        house.script.fail(PortCall.STORE_PARK, 1, Fault.DECLARED);
                      }
                      throw new IllegalStateException("not today");
                    }
                  })
              .build();
      var failed =
          assertThrows(
              ModelSwapException.class, () -> house.registry.swapWithRollback(BETA, options));
      assertEquals(SwapOutcome.ROLLED_BACK, failed.report().outcome());
      assertEquals(Optional.of(ALPHA), failed.serving().map(ModelSpec::id));
      house.registry.swapWithRollback(BETA);
      int cached = house.ask("ada", ada.getFirst()).cachedTokens();
      assertEquals(parks ? ada.getFirst().length - 1 : 0, cached);
    }
  }

  @Test
  void anAgentThatCannotBeParkedKeepsTheOldModel() throws Exception {
    try (ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA, ScriptedHouse.TIGHT)) {
      int[] ada = said(tokens(30, 1), house.ask("ada", tokens(30, 1)));
      int[] bob = said(tokens(30, 2), house.ask("bob", tokens(30, 2)));
      house.script.failForGood(PortCall.STORE_PARK, 2, Fault.DECLARED);
      var failed =
          assertThrows(ModelSwapException.class, () -> house.registry.swapWithRollback(BETA));
      assertEquals(SwapPhase.PARKING, failed.phase());
      assertEquals(SwapOutcome.ROLLED_BACK, failed.report().outcome());
      assertEquals(0, house.script.count(PortCall.LOAD), "the old model was touched");
      assertEquals(ada.length - 1, house.ask("ada", ada).cachedTokens());
      assertEquals(bob.length - 1, house.ask("bob", bob).cachedTokens());
    }
  }

  @Test
  void whenTheOldModelCannotComeBackBothCausesAreToldAndALoadHelps() throws Exception {
    try (ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA, ScriptedHouse.TIGHT)) {
      int[] ada = said(tokens(30, 1), house.ask("ada", tokens(30, 1)));
      house.script.failForGood(PortCall.LOAD, 1, Fault.OUT_OF_MEMORY);
      var failed =
          assertThrows(ModelSwapException.class, () -> house.registry.swapWithRollback(BETA));
      assertEquals(Optional.empty(), failed.serving());
      assertEquals(SwapOutcome.FAILED, failed.report().outcome());
      assertInstanceOf(OutOfMemoryError.class, failed.getCause());
      assertEquals(1, failed.getCause().getSuppressed().length);
      assertEquals(Activity.FAILED, house.registry.status().activity());
      assertSays(
          "No model serves", assertThrows(RequestException.class, () -> house.ask("ada", ada)));
      assertThrows(ModelException.class, () -> house.registry.load(BETA));
      house.script.heal();
      house.registry.load(ALPHA);
      assertEquals(ada.length - 1, house.ask("ada", ada).cachedTokens());
    }
  }

  @Test
  void anInterruptWhileTheJournalIsWrittenIsKept() throws Exception {
    try (ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA)) {
      Thread swapping = Thread.currentThread();
      Script.Hold hold = house.script.hold(PortCall.JOURNAL_BEGUN);
      Future<?> interrupter =
          Elsewhere.call(
              () -> {
                hold.awaitReached();
                swapping.interrupt();
                await().until(() -> !swapping.isInterrupted()); // the swap has noticed
                hold.release();
                return swapping;
              });
      assertThrows(ModelSwapException.class, () -> house.registry.swapWithRollback(BETA));
      assertTrue(Thread.interrupted(), "the caller's interrupt was swallowed");
      interrupter.get();
      assertEquals(Geometry.ALPHA.tag(), house.ask("ada", tokens(9, 1)).model());
    }
  }

  @Test
  void anInterruptEndsTheSwapAndNotTheModel() throws Exception {
    try (ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA)) {
      Script.Hold hold = house.script.hold(PortCall.FORWARD);
      Generation running = house.ask(request("bob", 5, tokens(20, 1)));
      hold.awaitReached();
      Thread.currentThread().interrupt();
      var failed =
          assertThrows(ModelSwapException.class, () -> house.registry.swapWithRollback(BETA));
      assertTrue(Thread.interrupted(), "the caller's interrupt was swallowed");
      assertEquals(Optional.of(ALPHA), failed.serving().map(ModelSpec::id));
      hold.release();
      running.await(PATIENCE);
      assertEquals(Geometry.ALPHA.tag(), house.ask("ada", tokens(9, 1)).model());
    }
  }

  @Test
  void nobodyIsDrainedForATokenizerThatCannotBeMade() throws Exception {
    for (ByteSize budget : List.of(ScriptedHouse.ROOMY, ScriptedHouse.TIGHT)) {
      try (ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA, budget)) {
        house.script.fail(PortCall.TEXT, 1, Fault.DECLARED);
        var failed =
            assertThrows(ModelSwapException.class, () -> house.registry.swapWithRollback(BETA));
        assertFalse(failed.report().phases().containsKey(SwapPhase.DRAINING));
        assertEquals(Optional.of(ALPHA), failed.serving().map(ModelSpec::id));
      }
    }
  }

  @Test
  void theNewModelLeavesBeforeTheOldOneComesBack() throws Exception {
    try (ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA, ScriptedHouse.TIGHT)) {
      house.script.fail(PortCall.TEXT, 3, Fault.UNCHECKED); // asked for twice before
      var failed =
          assertThrows(ModelSwapException.class, () -> house.registry.swapWithRollback(BETA));
      assertEquals(SwapPhase.ACTIVATING, failed.phase());
      assertEquals(Optional.of(ALPHA), failed.serving().map(ModelSpec::id));
    } // which looks at the peak of active bytes
  }
}
