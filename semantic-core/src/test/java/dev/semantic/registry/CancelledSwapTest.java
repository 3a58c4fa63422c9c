package dev.semantic.registry;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.request;
import static dev.semantic.scripted.ScriptedHost.said;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.Generation;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.scripted.Elsewhere;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.PhaseTimeoutException;
import dev.semantic.swap.SwapCancelledException;
import dev.semantic.swap.SwapConflict;
import dev.semantic.swap.SwapListener;
import dev.semantic.swap.SwapOutcome;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapReport;
import dev.semantic.swap.SwapStrategy;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Swaps that are called off, and swaps that meet another one. */
class CancelledSwapTest {
  private static final ModelId ALPHA = Geometry.ALPHA.id();
  private static final ModelId BETA = Geometry.BETA.id();
  private static final ModelId GAMMA = Geometry.GAMMA.id();

  static Stream<Arguments> everyPhase() {
    return Stream.of(SwapStrategy.MAKE_BEFORE_BREAK, SwapStrategy.BREAK_BEFORE_MAKE)
        .flatMap(
            strategy -> strategy.phases().stream().map(phase -> Arguments.of(strategy, phase)));
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("everyPhase")
  void aSwapThatIsCalledOffEndsServedByTheOldModel(SwapStrategy strategy, SwapPhase phase)
      throws Exception {
    AtomicReference<ModelRegistry> registry = new AtomicReference<>();
    try (ScriptedHost host = house(strategy, cancelAt(phase, registry))) {
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      registry.set(host.registry);
      var cancelled =
          assertThrows(ModelSwapException.class, () -> host.registry.swapWithRollback(BETA));
      assertInstanceOf(SwapCancelledException.class, cancelled.getCause());
      assertEquals(SwapOutcome.CANCELLED, cancelled.report().outcome());
      assertEquals(Optional.of(ALPHA), cancelled.serving().map(ModelSpec::id));
      assertEquals(1, host.runtime.openModels());
      assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
      assertFalse(host.registry.cancelSwap(), "there is nothing to call off");
      host.registry.swapWithRollback(BETA);
    }
  }

  private static ScriptedHost house(SwapStrategy strategy, SwapListener listener) {
    ByteSize budget =
        strategy == SwapStrategy.MAKE_BEFORE_BREAK ? ScriptedHost.ROOMY : ScriptedHost.TIGHT;
    return ScriptedHost.serving(Geometry.ALPHA, budget, listener);
  }

  /** Calls off, once, when the phase begins. */
  private static SwapListener cancelAt(SwapPhase wanted, AtomicReference<ModelRegistry> registry) {
    return new SwapListener() {
      @Override
      public void phase(SwapPhase phase) {
        ModelRegistry here = phase == wanted ? registry.getAndSet(null) : null;
        if (here != null) {
          assertTrue(here.cancelSwap());
        }
      }
    };
  }

  @Test
  void whoeverIsInTheMiddleOfALoadIsCalledOff() throws Exception {
    for (ByteSize budget : List.of(ScriptedHost.ROOMY, ScriptedHost.TIGHT)) {
      try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, budget)) {
        Script.Hold hold = host.script.hold(PortCall.LOAD);
        CompletableFuture<SwapReport> swap = swap(host, BETA, SwapOptions.DEFAULTS);
        hold.awaitReached();
        assertTrue(host.registry.cancelSwap());
        hold.release();
        assertCancelled(swap);
        assertEquals(Geometry.ALPHA.tag(), host.ask("ada", tokens(9, 1)).model());
      }
    }
  }

  @Test
  void aDrainThatWaitsIsCalledOffAtOnce() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Script.Hold hold = host.script.hold(PortCall.FORWARD);
      Generation running = host.ask(request("ada", 5, tokens(20, 1)));
      hold.awaitReached();
      CompletableFuture<SwapReport> swap = swap(host, BETA, SwapOptions.DEFAULTS);
      awaitPhase(host, SwapPhase.DRAINING);
      assertTrue(host.registry.cancelSwap());
      assertCancelled(swap);
      hold.release();
      assertEquals(Geometry.ALPHA.tag(), running.await(PATIENCE).model());
    }
  }

  /** The instant in which whoever called it off once woke nobody. */
  @Test
  void aSwapThatIsCalledOffJustBeforeItPreparesIsInterrupted() throws Exception {
    Permit permit = new Permit();
    StepRunner stepRunner = new StepRunner(Timeline.SYSTEM, Duration.ofSeconds(20), permit);
    assertTrue(permit.request("somebody"));
    assertThrows(
        InterruptedException.class,
        () ->
            stepRunner.callInterruptibly(
                "waiting for a network",
                () -> new CountDownLatch(1).await(20, TimeUnit.SECONDS),
                late -> {}));
  }

  @Test
  void aGuardThatDoesNotComeBackCostsTheSwapAndNothingElse() throws Exception {
    for (SwapPhase phase : SwapStrategy.BREAK_BEFORE_MAKE.phases()) {
      try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
        CountDownLatch never = new CountDownLatch(1);
        SwapOptions options =
            SwapOptions.builder()
                .phaseTimeout(Duration.ofMillis(200))
                .guard(asked -> hang(asked == phase, never))
                .build();
        var failed =
            assertThrows(
                ModelSwapException.class, () -> host.registry.swapWithRollback(BETA, options));
        assertInstanceOf(PhaseTimeoutException.class, failed.getCause());
        assertEquals(Geometry.ALPHA.tag(), host.ask("ada", tokens(9, 1)).model());
        never.countDown();
      }
    }
  }

  @Test
  void aGuardThatDoesNotComeBackIsLeftWhenTheSwapIsCalledOff() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      CountDownLatch asked = new CountDownLatch(1);
      CountDownLatch never = new CountDownLatch(1);
      SwapOptions options =
          SwapOptions.builder()
              .guard(
                  phase -> {
                    asked.countDown();
                    hang(true, never);
                  })
              .build();
      CompletableFuture<SwapReport> swap = swap(host, BETA, options);
      assertTrue(asked.await(10, TimeUnit.SECONDS));
      assertTrue(host.registry.cancelSwap());
      assertCancelled(swap);
      assertEquals(Geometry.ALPHA.tag(), host.ask("ada", tokens(9, 1)).model());
      never.countDown();
    }
  }

  /** Whatever interrupts it. */
  private static void hang(boolean here, CountDownLatch until) {
    while (here && until.getCount() > 0) {
      LockSupport.parkNanos(1_000_000);
      Thread.interrupted(); // as somebody does who does not care
    }
  }

  @Test
  void aSecondSwapIsRefused() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Script.Hold hold = host.script.hold(PortCall.LOAD);
      CompletableFuture<SwapReport> first = swap(host, BETA, SwapOptions.DEFAULTS);
      hold.awaitReached();
      assertThrows(IllegalStateException.class, () -> host.registry.swapWithRollback(GAMMA));
      hold.release();
      assertEquals(SwapOutcome.SWAPPED, first.get(10, TimeUnit.SECONDS).outcome());
    }
  }

  @Test
  void aSecondSwapWaits() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Script.Hold hold = host.script.hold(PortCall.LOAD);
      CompletableFuture<SwapReport> first = swap(host, BETA, SwapOptions.DEFAULTS);
      hold.awaitReached();
      CompletableFuture<SwapReport> second =
          swap(host, GAMMA, SwapOptions.builder().ifBusy(SwapConflict.WAIT).build());
      hold.release();
      assertEquals(Optional.of(BETA), first.get(10, TimeUnit.SECONDS).serving());
      SwapReport last = second.get(10, TimeUnit.SECONDS);
      assertEquals(Optional.of(BETA), last.from());
      assertEquals(Optional.of(GAMMA), last.serving());
    }
  }

  @Test
  void aSecondSwapTakesTheFirstOnesPlace() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Script.Hold hold = host.script.hold(PortCall.LOAD);
      CompletableFuture<SwapReport> first = swap(host, BETA, SwapOptions.DEFAULTS);
      hold.awaitReached();
      CompletableFuture<SwapReport> second =
          swap(host, GAMMA, SwapOptions.builder().ifBusy(SwapConflict.SUPERSEDE).build());
      await().atMost(PATIENCE).until(host.runtime::isLoadCancelled);
      hold.release();
      assertCancelled(first);
      SwapReport last = second.get(10, TimeUnit.SECONDS);
      assertEquals(Optional.of(ALPHA), last.from());
      assertEquals(Optional.of(GAMMA), last.serving());
    }
  }

  @Test
  void aWaitForTheTurnCanBeInterrupted() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Script.Hold hold = host.script.hold(PortCall.LOAD);
      CompletableFuture<SwapReport> first = swap(host, BETA, SwapOptions.DEFAULTS);
      hold.awaitReached();
      Thread.currentThread().interrupt();
      var wait = SwapOptions.builder().ifBusy(SwapConflict.WAIT).build();
      assertThrows(SwapCancelledException.class, () -> host.registry.swapWithRollback(GAMMA, wait));
      assertTrue(Thread.interrupted());
      hold.release();
      first.get(10, TimeUnit.SECONDS);
    }
  }

  private static CompletableFuture<SwapReport> swap(
      ScriptedHost host, ModelId target, SwapOptions options) {
    return Elsewhere.call(() -> host.registry.swapWithRollback(target, options));
  }

  private static void awaitPhase(ScriptedHost host, SwapPhase phase) {
    await().atMost(PATIENCE).until(() -> host.registry.status().phase().equals(Optional.of(phase)));
  }

  private static void assertCancelled(CompletableFuture<SwapReport> swap) {
    var ended = assertThrows(ExecutionException.class, () -> swap.get(10, TimeUnit.SECONDS));
    var failed = assertInstanceOf(ModelSwapException.class, ended.getCause());
    assertEquals(SwapOutcome.CANCELLED, failed.report().outcome());
  }
}
