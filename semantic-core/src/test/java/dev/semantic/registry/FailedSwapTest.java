package dev.semantic.registry;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.assertSays;
import static dev.semantic.scripted.ScriptedHost.request;
import static dev.semantic.scripted.ScriptedHost.said;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
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
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.swap.DrainTimeoutException;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapOutcome;
import dev.semantic.swap.SwapPhase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
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
    try (ScriptedHost host =
        ScriptedHost.serving(Geometry.ALPHA, roomy ? ScriptedHost.ROOMY : ScriptedHost.TIGHT)) {
      Script.Hold hold = host.script.hold(PortCall.FORWARD);
      Generation running = host.ask(request("ada", 5, tokens(20, 1)));
      hold.awaitReached();
      var soon = SwapOptions.builder().drainTimeout(Duration.ofMillis(30)).build();
      var refused =
          assertThrows(ModelSwapException.class, () -> host.registry.swapWithRollback(BETA, soon));
      assertInstanceOf(DrainTimeoutException.class, refused.getCause());
      assertEquals(SwapPhase.DRAINING, refused.phase());
      assertEquals(SwapOutcome.REFUSED, refused.report().outcome());
      assertEquals(Optional.of(ALPHA), refused.serving().map(ModelSpec::id));
      Generation late = host.ask(request("bob", 1, tokens(20, 1)));
      hold.release();
      assertFalse(running.await(PATIENCE).reason() == FinishReason.CANCELLED);
      assertEquals(Geometry.ALPHA.tag(), late.await(PATIENCE).model());
      host.registry.swapWithRollback(BETA);
    }
  }

  @Test
  void whatCannotServeIsRefusedBeforeAnythingIsTouched() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, new ByteSize(1_800_000))) {
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      var unknown =
          assertThrows(
              ModelSwapException.class,
              () -> host.registry.swapWithRollback(new ModelId("nowhere")));
      assertSays("no scripted model nowhere (alpha goes on serving)", unknown);
      var tooLarge =
          assertThrows(ModelSwapException.class, () -> host.registry.swapWithRollback(BETA));
      assertSays("more than the budget of", tooLarge);
      for (ModelSwapException refused : List.of(unknown, tooLarge)) {
        assertEquals(SwapPhase.PREPARING, refused.phase());
        assertEquals(SwapOutcome.REFUSED, refused.report().outcome());
        assertEquals(Duration.ZERO, refused.report().blackout());
      }
      assertEquals(1, host.runtime.openPrepared());
      assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatTheNewModelAnsweredIsKeptWhenItHasToGoAgain(boolean parks) throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      List<int[]> ada = new ArrayList<>();
      SwapOptions options =
          SwapOptions.builder()
              .guard(
                  phase -> {
                    if (phase == SwapPhase.UNLOADING) { // both are there, and the new one serves
                      ada.add(said(tokens(30, 1), host.ask("ada", tokens(30, 1))));
                      if (!parks) {
                        host.script.fail(PortCall.STORE_PARK, 1, Fault.DECLARED);
                      }
                      throw new IllegalStateException("not today");
                    }
                  })
              .build();
      var failed =
          assertThrows(
              ModelSwapException.class, () -> host.registry.swapWithRollback(BETA, options));
      assertEquals(SwapOutcome.ROLLED_BACK, failed.report().outcome());
      assertEquals(Optional.of(ALPHA), failed.serving().map(ModelSpec::id));
      host.registry.swapWithRollback(BETA);
      int cached = host.ask("ada", ada.getFirst()).cachedTokens();
      assertEquals(parks ? ada.getFirst().length - 1 : 0, cached);
    }
  }

  @Test
  void anAgentThatCannotBeParkedKeepsTheOldModel() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      int[] bob = said(tokens(30, 2), host.ask("bob", tokens(30, 2)));
      host.script.failForGood(PortCall.STORE_PARK, 2, Fault.DECLARED);
      var failed =
          assertThrows(ModelSwapException.class, () -> host.registry.swapWithRollback(BETA));
      assertEquals(SwapPhase.PARKING, failed.phase());
      assertEquals(SwapOutcome.ROLLED_BACK, failed.report().outcome());
      assertEquals(0, host.script.count(PortCall.LOAD), "the old model was touched");
      assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
      assertEquals(bob.length - 1, host.ask("bob", bob).cachedTokens());
    }
  }

  @Test
  void whenTheOldModelCannotComeBackBothCausesAreToldAndALoadHelps() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      host.script.failForGood(PortCall.LOAD, 1, Fault.OUT_OF_MEMORY);
      var failed =
          assertThrows(ModelSwapException.class, () -> host.registry.swapWithRollback(BETA));
      assertEquals(Optional.empty(), failed.serving());
      assertEquals(SwapOutcome.FAILED, failed.report().outcome());
      assertInstanceOf(OutOfMemoryError.class, failed.getCause());
      assertEquals(1, failed.getCause().getSuppressed().length);
      assertEquals(Activity.FAILED, host.registry.status().activity());
      assertSays(
          "No model serves", assertThrows(RequestException.class, () -> host.ask("ada", ada)));
      assertThrows(ModelException.class, () -> host.registry.load(BETA));
      host.script.heal();
      host.registry.load(ALPHA);
      assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
    }
  }

  @Test
  void anInterruptWhileTheJournalIsWrittenIsKept() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Thread swapping = Thread.currentThread();
      Script.Hold hold = host.script.hold(PortCall.JOURNAL_BEGUN);
      Future<?> interrupter =
          Elsewhere.call(
              () -> {
                hold.awaitReached();
                swapping.interrupt();
                await().until(() -> !swapping.isInterrupted()); // the swap has noticed
                hold.release();
                return swapping;
              });
      assertThrows(ModelSwapException.class, () -> host.registry.swapWithRollback(BETA));
      assertTrue(Thread.interrupted(), "the caller's interrupt was swallowed");
      interrupter.get();
      assertEquals(Geometry.ALPHA.tag(), host.ask("ada", tokens(9, 1)).model());
    }
  }

  @Test
  void anInterruptEndsTheSwapAndNotTheModel() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Script.Hold hold = host.script.hold(PortCall.FORWARD);
      Generation running = host.ask(request("bob", 5, tokens(20, 1)));
      hold.awaitReached();
      Thread.currentThread().interrupt();
      var failed =
          assertThrows(ModelSwapException.class, () -> host.registry.swapWithRollback(BETA));
      assertTrue(Thread.interrupted(), "the caller's interrupt was swallowed");
      assertEquals(Optional.of(ALPHA), failed.serving().map(ModelSpec::id));
      hold.release();
      running.await(PATIENCE);
      assertEquals(Geometry.ALPHA.tag(), host.ask("ada", tokens(9, 1)).model());
    }
  }

  @Test
  void nobodyIsDrainedForATokenizerThatCannotBeMade() throws Exception {
    for (ByteSize budget : List.of(ScriptedHost.ROOMY, ScriptedHost.TIGHT)) {
      try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, budget)) {
        host.script.fail(PortCall.TEXT, 1, Fault.DECLARED);
        var failed =
            assertThrows(ModelSwapException.class, () -> host.registry.swapWithRollback(BETA));
        assertFalse(failed.report().phases().containsKey(SwapPhase.DRAINING));
        assertEquals(Optional.of(ALPHA), failed.serving().map(ModelSpec::id));
      }
    }
  }

  @Test
  void theNewModelLeavesBeforeTheOldOneComesBack() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
      host.script.fail(PortCall.TEXT, 3, Fault.UNCHECKED); // asked for twice before
      var failed =
          assertThrows(ModelSwapException.class, () -> host.registry.swapWithRollback(BETA));
      assertEquals(SwapPhase.ACTIVATING, failed.phase());
      assertEquals(Optional.of(ALPHA), failed.serving().map(ModelSpec::id));
    } // which looks at the peak of active bytes
  }

  /** As bad as an exception of a backend can be. */
  @SuppressWarnings("ThrowableEqualsHashCode") // that is what is bad about it
  private static final class UnequalException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    @Override
    public boolean equals(@Nullable Object other) {
      throw new IllegalStateException("no equals");
    }

    @Override
    public int hashCode() {
      throw new IllegalStateException("no hash code");
    }
  }

  @Test
  void oneExceptionThatFailsTheSwapAndTheWayBackIsTold() {
    for (RuntimeException one : List.of(new UnequalException(), new RuntimeException("one"))) {
      try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
        host.script.onVisit(
            call -> {
              if (call == PortCall.LOAD) {
                throw one;
              }
            });
        ModelSwapException told =
            assertThrows(
                ModelSwapException.class, () -> host.registry.swapWithRollback(Geometry.BETA.id()));
        assertSame(one, told.getCause());
        assertEquals(Optional.empty(), told.serving());
        host.script.onVisit(call -> {});
      }
    }
  }
}
