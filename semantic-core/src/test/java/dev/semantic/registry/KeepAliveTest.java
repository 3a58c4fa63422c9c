package dev.semantic.registry;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.assertSays;
import static dev.semantic.scripted.ScriptedHost.request;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.Generation;
import dev.semantic.generate.RequestException;
import dev.semantic.kv.BlockPool;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.scripted.Elsewhere;
import dev.semantic.scripted.Fault;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapConflict;
import dev.semantic.swap.SwapOutcome;
import dev.semantic.swap.SwapReport;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Who waits for a model waits for the one that comes; where none comes nobody waits. */
class KeepAliveTest {
  private static final ModelId ALPHA = Geometry.ALPHA.id();
  private static final ModelId BETA = Geometry.BETA.id();
  private static final SwapOptions SUPERSEDING =
      SwapOptions.builder().ifBusy(SwapConflict.SUPERSEDE).build();

  private static ScriptedHost asleep() {
    return asleep(Duration.ofMillis(30));
  }

  /** A house whose alpha has left because nobody asked it anything. */
  private static ScriptedHost asleep(Duration idle) {
    ScriptedHost host =
        new ScriptedHost(
            ScriptedHost.ROOMY,
            builder -> builder.keepAlive(KeepAlivePolicy.idleFor(idle).pinning(BETA)));
    host.registry.load(ALPHA);
    await()
        .atMost(PATIENCE)
        .until(() -> host.registry.current().isEmpty() && host.runtime.openModels() == 0);
    return host;
  }

  @Test
  void whoWokeAModelIsAnsweredByTheOneThatTookItsPlace() throws Exception {
    try (ScriptedHost host = asleep()) {
      Script.Hold wake = host.script.hold(PortCall.LOAD);
      Generation first = host.ask(request("ada", 5, tokens(9, 1)));
      wake.awaitReached();
      Script.Hold swapping = host.script.hold(PortCall.LOAD);
      CompletableFuture<SwapReport> swap =
          Elsewhere.call(() -> host.registry.swapWithRollback(BETA, SUPERSEDING));
      await().atMost(PATIENCE).until(host.runtime::isLoadCancelled);
      wake.release();
      swapping.awaitReached();
      Generation second = host.ask(request("bob", 5, tokens(9, 2)));
      swapping.release();
      assertEquals(Optional.of(BETA), swap.get(10, TimeUnit.SECONDS).serving());
      assertEquals(Geometry.BETA.tag(), first.await(PATIENCE).model());
      assertEquals(Geometry.BETA.tag(), second.await(PATIENCE).model());
    }
  }

  /** And if the other one fails to come, the one that sleeps comes after all. */
  @Test
  void whoWokeAModelIsAnsweredByItWhenTheOtherDoesNotCome() throws Exception {
    try (ScriptedHost host = asleep()) {
      Script.Hold wake = host.script.hold(PortCall.LOAD);
      Generation first = host.ask(request("ada", 5, tokens(9, 1)));
      wake.awaitReached();
      CompletableFuture<SwapReport> swap =
          Elsewhere.call(() -> host.registry.swapWithRollback(new ModelId("nowhere"), SUPERSEDING));
      await().atMost(PATIENCE).until(host.runtime::isLoadCancelled);
      wake.release();
      assertThrows(ExecutionException.class, () -> swap.get(10, TimeUnit.SECONDS));
      assertEquals(Geometry.ALPHA.tag(), first.await(PATIENCE).model());
    }
  }

  @Test
  void aFailureToWakeOneModelIsNoReasonNotToWaitForAnother() throws Exception {
    try (ScriptedHost host = asleep()) {
      host.script.failForGood(PortCall.LOAD, 1, Fault.DECLARED);
      Generation first = host.ask(request("ada", 5, tokens(9, 1)));
      var refused = assertThrows(RequestException.class, () -> first.await(PATIENCE));
      assertEquals(RequestException.Kind.NO_MODEL, refused.kind());
      host.script.heal();
      Script.Hold loading = host.script.hold(PortCall.LOAD);
      CompletableFuture<SwapReport> swap =
          Elsewhere.call(() -> host.registry.swapWithRollback(BETA));
      loading.awaitReached();
      Generation second = host.ask(request("bob", 5, tokens(9, 2)));
      loading.release();
      swap.get(10, TimeUnit.SECONDS);
      assertEquals(Geometry.BETA.tag(), second.await(PATIENCE).model());
    }
  }

  @Test
  void aSleepingModelThatIsUnloadedDoesNotComeBack() throws Exception {
    try (ScriptedHost host = asleep()) {
      SwapReport report = host.registry.unload();
      assertEquals(SwapOutcome.UNCHANGED, report.outcome());
      assertEquals(Optional.empty(), report.serving());
      var refused =
          assertThrows(
              RequestException.class,
              () -> host.registry.generate(request("ada", 5, tokens(9, 1))));
      assertEquals(RequestException.Kind.NO_MODEL, refused.kind());
      assertEquals(1, host.script.count(PortCall.LOAD));
      assertThrows(IllegalStateException.class, host.registry::unload);
      host.registry.load(BETA);
      Generation next = host.ask(request("ada", 5, tokens(9, 1)));
      assertEquals(Geometry.BETA.tag(), next.await(PATIENCE).model());
    }
  }

  @Test
  void whoWokeAModelThatIsUnloadedInsteadIsToldAtOnce() throws Exception {
    try (ScriptedHost host = asleep()) {
      Script.Hold wake = host.script.hold(PortCall.LOAD);
      Generation first = host.ask(request("ada", 5, tokens(9, 1)));
      wake.awaitReached();
      CompletableFuture<SwapReport> unload =
          Elsewhere.call(() -> host.registry.unload(SUPERSEDING));
      await().atMost(PATIENCE).until(host.runtime::isLoadCancelled);
      wake.release();
      assertEquals(SwapOutcome.UNCHANGED, unload.get(10, TimeUnit.SECONDS).outcome());
      var refused = assertThrows(RequestException.class, () -> first.await(PATIENCE));
      assertEquals(RequestException.Kind.NO_MODEL, refused.kind());
      assertEquals(0, host.runtime.openModels());
    }
  }

  /** It is not tried again at once, and the next request tries it again. */
  @Test
  void aWakeThatIsCalledOffRefusesWhoWaitsAndHoldsAgainstNobody() throws Exception {
    try (ScriptedHost host = asleep()) {
      Script.Hold wake = host.script.hold(PortCall.LOAD);
      Generation first = host.ask(request("ada", 5, tokens(9, 1)));
      wake.awaitReached();
      assertTrue(host.registry.cancelSwap());
      wake.release();
      var refused = assertThrows(RequestException.class, () -> first.await(PATIENCE));
      assertSays("called off", refused);
      assertEquals(Geometry.ALPHA.tag(), host.ask("bob", tokens(9, 2)).model());
    }
  }

  @Test
  void aModelThatWasSwappedInWhileAnotherSleptLeavesWhenIdle() throws Exception {
    try (ScriptedHost host = asleep()) {
      host.registry.swapWithRollback(Geometry.GAMMA.id());
      await().atMost(PATIENCE).until(() -> host.registry.current().isEmpty());
      assertEquals(Geometry.GAMMA.tag(), host.ask("ada", tokens(9, 1)).model());
    }
  }

  @Test
  void aModelSleepsOnWhenAnotherCouldNotBeLoaded() {
    try (ScriptedHost host = asleep()) {
      assertThrows(ModelException.class, () -> host.registry.load(new ModelId("nowhere")));
      assertEquals(Geometry.ALPHA.tag(), host.ask("ada", tokens(9, 1)).model());
    }
  }

  @Test
  void whoWaitedForALoadThatFailsIsToldAtOnceAndSoIsWhoComesAfter() throws Exception {
    try (ScriptedHost host = new ScriptedHost()) {
      Script.Hold loading = host.script.hold(PortCall.LOAD);
      host.script.fail(PortCall.LOAD, 1, Fault.DECLARED);
      CompletableFuture<SwapReport> load = Elsewhere.call(() -> host.registry.load(ALPHA));
      loading.awaitReached();
      Generation before = host.ask(request("ada", 5, tokens(9, 1)));
      loading.release();
      assertThrows(ExecutionException.class, () -> load.get(10, TimeUnit.SECONDS));
      assertRefusedAlike(host, before);
    }
  }

  @Test
  void whoWaitedForASwapThatLeavesNoModelIsToldAtOnce() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
      Script.Hold loading = host.script.hold(PortCall.LOAD);
      host.script.failForGood(PortCall.LOAD, 1, Fault.DECLARED);
      CompletableFuture<SwapReport> swap =
          Elsewhere.call(() -> host.registry.swapWithRollback(BETA));
      loading.awaitReached();
      Generation before = host.ask(request("ada", 5, tokens(9, 1)));
      loading.release();
      assertThrows(ExecutionException.class, () -> swap.get(10, TimeUnit.SECONDS));
      assertRefusedAlike(host, before);
    }
  }

  private static void assertRefusedAlike(ScriptedHost host, Generation before) {
    var first = assertThrows(RequestException.class, () -> before.await(PATIENCE));
    var second = assertThrows(RequestException.class, () -> host.ask("bob", tokens(9, 2)));
    assertEquals(RequestException.Kind.NO_MODEL, first.kind());
    assertEquals(RequestException.Kind.NO_MODEL, second.kind());
    assertEquals(first.getMessage(), second.getMessage());
    assertTrue(first.getCause() instanceof ModelSwapException, "without its cause");
  }

  @Test
  void whoWaitsWhileTheModelIsUnloadedIsRefusedLikeWhoComesAfter() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Script.Hold unloading = host.script.hold(PortCall.MODEL_CLOSE);
      CompletableFuture<SwapReport> unload = Elsewhere.call(() -> host.registry.unload());
      unloading.awaitReached();
      Generation before = host.ask(request("ada", 5, tokens(9, 1)));
      unloading.release();
      unload.get(10, TimeUnit.SECONDS);
      var first = assertThrows(RequestException.class, () -> before.await(PATIENCE));
      var second = assertThrows(RequestException.class, () -> host.ask("bob", tokens(9, 2)));
      assertEquals(RequestException.Kind.NO_MODEL, first.kind());
      assertEquals(first.getMessage(), second.getMessage());
      host.registry.load(ALPHA);
      assertEquals(Geometry.ALPHA.tag(), host.ask("ada", tokens(9, 1)).model());
    }
  }

  @Test
  void whatAHostSeesOfThePoolCannotBeUsedToChangeIt() {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      var pool = host.registry.pool();
      assertFalse((Object) pool instanceof BlockPool);
      assertTrue(pool.totalBlocks() > 0);
    }
  }
}
