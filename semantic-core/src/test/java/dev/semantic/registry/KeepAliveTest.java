package dev.semantic.registry;

import static dev.semantic.scripted.ScriptedHouse.PATIENCE;
import static dev.semantic.scripted.ScriptedHouse.assertSays;
import static dev.semantic.scripted.ScriptedHouse.request;
import static dev.semantic.scripted.ScriptedHouse.tokens;
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
import dev.semantic.scripted.ScriptedHouse;
import dev.semantic.swap.IfBusy;
import dev.semantic.swap.ModelSwapException;
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
      SwapOptions.builder().ifBusy(IfBusy.SUPERSEDE).build();

  private static ScriptedHouse asleep() {
    return asleep(Duration.ofMillis(30));
  }

  /** A house whose alpha has left because nobody asked it anything. */
  private static ScriptedHouse asleep(Duration idle) {
    ScriptedHouse house =
        new ScriptedHouse(
            ScriptedHouse.ROOMY,
            builder -> builder.residency(Residency.idleFor(idle).pinning(BETA)));
    house.registry.load(ALPHA);
    await()
        .atMost(PATIENCE)
        .until(() -> house.registry.current().isEmpty() && house.runtime.openModels() == 0);
    return house;
  }

  @Test
  void whoWokeAModelIsAnsweredByTheOneThatTookItsPlace() throws Exception {
    try (ScriptedHouse house = asleep()) {
      Script.Hold wake = house.script.hold(PortCall.LOAD);
      Generation first = house.ask(request("ada", 5, tokens(9, 1)));
      wake.awaitReached();
      Script.Hold swapping = house.script.hold(PortCall.LOAD);
      CompletableFuture<SwapReport> swap =
          Elsewhere.call(() -> house.registry.swapWithRollback(BETA, SUPERSEDING));
      await().atMost(PATIENCE).until(house.runtime::isLoadCancelled);
      wake.release();
      swapping.awaitReached();
      Generation second = house.ask(request("bob", 5, tokens(9, 2)));
      swapping.release();
      assertEquals(Optional.of(BETA), swap.get(10, TimeUnit.SECONDS).serving());
      assertEquals(Geometry.BETA.tag(), first.await(PATIENCE).model());
      assertEquals(Geometry.BETA.tag(), second.await(PATIENCE).model());
    }
  }

  /** And if the other one fails to come, the one that sleeps comes after all. */
  @Test
  void whoWokeAModelIsAnsweredByItWhenTheOtherDoesNotCome() throws Exception {
    try (ScriptedHouse house = asleep()) {
      Script.Hold wake = house.script.hold(PortCall.LOAD);
      Generation first = house.ask(request("ada", 5, tokens(9, 1)));
      wake.awaitReached();
      CompletableFuture<SwapReport> swap =
          Elsewhere.call(
              () -> house.registry.swapWithRollback(new ModelId("nowhere"), SUPERSEDING));
      await().atMost(PATIENCE).until(house.runtime::isLoadCancelled);
      wake.release();
      assertThrows(ExecutionException.class, () -> swap.get(10, TimeUnit.SECONDS));
      assertEquals(Geometry.ALPHA.tag(), first.await(PATIENCE).model());
    }
  }

  @Test
  void aFailureToWakeOneModelIsNoReasonNotToWaitForAnother() throws Exception {
    try (ScriptedHouse house = asleep()) {
      house.script.failForGood(PortCall.LOAD, 1, Fault.DECLARED);
      Generation first = house.ask(request("ada", 5, tokens(9, 1)));
      var refused = assertThrows(RequestException.class, () -> first.await(PATIENCE));
      assertEquals(RequestException.Kind.NO_MODEL, refused.kind());
      house.script.heal();
      Script.Hold loading = house.script.hold(PortCall.LOAD);
      CompletableFuture<SwapReport> swap =
          Elsewhere.call(() -> house.registry.swapWithRollback(BETA));
      loading.awaitReached();
      Generation second = house.ask(request("bob", 5, tokens(9, 2)));
      loading.release();
      swap.get(10, TimeUnit.SECONDS);
      assertEquals(Geometry.BETA.tag(), second.await(PATIENCE).model());
    }
  }

  /** It is not tried again at once, and the next request tries it again. */
  @Test
  void aWakeThatIsCalledOffRefusesWhoWaitsAndHoldsAgainstNobody() throws Exception {
    try (ScriptedHouse house = asleep()) {
      Script.Hold wake = house.script.hold(PortCall.LOAD);
      Generation first = house.ask(request("ada", 5, tokens(9, 1)));
      wake.awaitReached();
      assertTrue(house.registry.cancelSwap());
      wake.release();
      var refused = assertThrows(RequestException.class, () -> first.await(PATIENCE));
      assertSays("called off", refused);
      assertEquals(Geometry.ALPHA.tag(), house.ask("bob", tokens(9, 2)).model());
    }
  }

  @Test
  void aModelThatWasSwappedInWhileAnotherSleptLeavesWhenIdle() throws Exception {
    try (ScriptedHouse house = asleep()) {
      house.registry.swapWithRollback(Geometry.GAMMA.id());
      await().atMost(PATIENCE).until(() -> house.registry.current().isEmpty());
      assertEquals(Geometry.GAMMA.tag(), house.ask("ada", tokens(9, 1)).model());
    }
  }

  @Test
  void aModelSleepsOnWhenAnotherCouldNotBeLoaded() {
    try (ScriptedHouse house = asleep()) {
      assertThrows(ModelException.class, () -> house.registry.load(new ModelId("nowhere")));
      assertEquals(Geometry.ALPHA.tag(), house.ask("ada", tokens(9, 1)).model());
    }
  }

  @Test
  void whoWaitedForALoadThatFailsIsToldAtOnceAndSoIsWhoComesAfter() throws Exception {
    try (ScriptedHouse house = new ScriptedHouse()) {
      Script.Hold loading = house.script.hold(PortCall.LOAD);
      house.script.fail(PortCall.LOAD, 1, Fault.DECLARED);
      CompletableFuture<SwapReport> load = Elsewhere.call(() -> house.registry.load(ALPHA));
      loading.awaitReached();
      Generation before = house.ask(request("ada", 5, tokens(9, 1)));
      loading.release();
      assertThrows(ExecutionException.class, () -> load.get(10, TimeUnit.SECONDS));
      assertRefusedAlike(house, before);
    }
  }

  @Test
  void whoWaitedForASwapThatLeavesNoModelIsToldAtOnce() throws Exception {
    try (ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA, ScriptedHouse.TIGHT)) {
      Script.Hold loading = house.script.hold(PortCall.LOAD);
      house.script.failForGood(PortCall.LOAD, 1, Fault.DECLARED);
      CompletableFuture<SwapReport> swap =
          Elsewhere.call(() -> house.registry.swapWithRollback(BETA));
      loading.awaitReached();
      Generation before = house.ask(request("ada", 5, tokens(9, 1)));
      loading.release();
      assertThrows(ExecutionException.class, () -> swap.get(10, TimeUnit.SECONDS));
      assertRefusedAlike(house, before);
    }
  }

  private static void assertRefusedAlike(ScriptedHouse house, Generation before) {
    var first = assertThrows(RequestException.class, () -> before.await(PATIENCE));
    var second = assertThrows(RequestException.class, () -> house.ask("bob", tokens(9, 2)));
    assertEquals(RequestException.Kind.NO_MODEL, first.kind());
    assertEquals(RequestException.Kind.NO_MODEL, second.kind());
    assertEquals(first.getMessage(), second.getMessage());
    assertTrue(first.getCause() instanceof ModelSwapException, "without its cause");
  }

  @Test
  void whoWaitsWhileTheModelIsUnloadedIsRefusedLikeWhoComesAfter() throws Exception {
    try (ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA)) {
      Script.Hold unloading = house.script.hold(PortCall.MODEL_CLOSE);
      CompletableFuture<SwapReport> unload = Elsewhere.call(() -> house.registry.unload());
      unloading.awaitReached();
      Generation before = house.ask(request("ada", 5, tokens(9, 1)));
      unloading.release();
      unload.get(10, TimeUnit.SECONDS);
      var first = assertThrows(RequestException.class, () -> before.await(PATIENCE));
      var second = assertThrows(RequestException.class, () -> house.ask("bob", tokens(9, 2)));
      assertEquals(RequestException.Kind.NO_MODEL, first.kind());
      assertEquals(first.getMessage(), second.getMessage());
      house.registry.load(ALPHA);
      assertEquals(Geometry.ALPHA.tag(), house.ask("ada", tokens(9, 1)).model());
    }
  }

  @Test
  void whatAHostSeesOfThePoolCannotBeUsedToChangeIt() {
    try (ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA)) {
      var pool = house.registry.pool();
      assertFalse((Object) pool instanceof BlockPool);
      assertTrue(pool.totalBlocks() > 0);
    }
  }
}
