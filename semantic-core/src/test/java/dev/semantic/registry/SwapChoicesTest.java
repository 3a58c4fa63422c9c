package dev.semantic.registry;

import static dev.semantic.scripted.ScriptedHouse.PATIENCE;
import static dev.semantic.scripted.ScriptedHouse.assertSays;
import static dev.semantic.scripted.ScriptedHouse.request;
import static dev.semantic.scripted.ScriptedHouse.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.Generation;
import dev.semantic.memory.ReclaimReport;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.scripted.Elsewhere;
import dev.semantic.scripted.Fault;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHouse;
import dev.semantic.spi.LoadPriority;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapOutcome;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapReport;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What a host may say of a swap, and what it is told of it. */
class SwapChoicesTest {
  private static final ModelId ALPHA = Geometry.ALPHA.id();
  private static final ModelId BETA = Geometry.BETA.id();

  @Test
  void aSwapToTheModelThatServesDoesNothingAndSaysSo() throws Exception {
    try (ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA)) {
      Script.Hold hold = house.script.hold(PortCall.FORWARD);
      Generation running = house.ask(request("ada", 5, tokens(20, 1)));
      hold.awaitReached();
      SwapReport report = house.registry.swapWithRollback(ALPHA); // waits for nobody
      hold.release();
      assertEquals(SwapOutcome.UNCHANGED, report.outcome());
      assertEquals(Optional.of(ALPHA), report.serving());
      assertEquals(Set.of(SwapPhase.PREPARING), report.phases().keySet());
      assertTrue(report.blackout().isZero());
      assertEquals(RegistryStatus.Activity.SUCCESS, house.registry.status().activity());
      assertEquals(1, house.runtime.openPrepared());
      assertEquals(Geometry.ALPHA.tag(), running.await(PATIENCE).model());
    }
  }

  @Test
  void whoWantsItLoadedAnewGetsThat() throws Exception {
    try (ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA)) {
      SwapReport report =
          house.registry.swapWithRollback(ALPHA, SwapOptions.builder().reload(true).build());
      assertEquals(SwapOutcome.SWAPPED, report.outcome());
      assertTrue(report.phases().containsKey(SwapPhase.LOADING));
      assertEquals(Geometry.ALPHA.tag(), house.ask("ada", tokens(9, 1)).model());
    }
  }

  @Test
  void aModelWithoutAChatTemplateIsRefusedBeforeAnybodyIsDrained() throws Exception {
    SwapOptions options = SwapOptions.builder().requireChatTemplate(true).build();
    try (ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA, ScriptedHouse.TIGHT)) {
      house.runtime.withoutChatTemplate(Geometry.BETA);
      assertTrue(house.registry.validate(ALPHA).chatTemplate());
      assertEquals(false, house.registry.validate(BETA).chatTemplate());
      var refused =
          assertThrows(ModelException.class, () -> house.registry.validate(BETA, options));
      assertEquals(ModelException.Kind.NO_CHAT_TEMPLATE, refused.kind());
      var failed =
          assertThrows(
              ModelSwapException.class, () -> house.registry.swapWithRollback(BETA, options));
      var cause = assertInstanceOf(ModelException.class, failed.getCause());
      assertEquals(ModelException.Kind.NO_CHAT_TEMPLATE, cause.kind());
      assertEquals(SwapOutcome.REFUSED, failed.report().outcome());
      assertEquals(Set.of(SwapPhase.PREPARING), failed.report().phases().keySet());
      assertEquals(Optional.of(ALPHA), failed.serving().map(ModelSpec::id));
      house.registry.swapWithRollback(BETA); // who does not require one gets it
    }
  }

  @Test
  void howUrgentALoadIsReachesTheBackendWhileSomebodyIsServed() throws Exception {
    try (ScriptedHouse house = new ScriptedHouse()) {
      assertEquals(LoadPriority.AT_ONCE, priority(house, ALPHA, SwapOptions.USUAL));
      assertEquals(LoadPriority.BALANCED, priority(house, BETA, SwapOptions.USUAL));
      for (LoadPriority each : LoadPriority.values()) {
        SwapOptions options = SwapOptions.builder().loadPriority(each).reload(true).build();
        assertEquals(each, priority(house, ALPHA, options));
      }
    }
    try (ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA, ScriptedHouse.TIGHT)) {
      assertEquals(LoadPriority.AT_ONCE, priority(house, BETA, SwapOptions.USUAL));
    }
  }

  private static LoadPriority priority(ScriptedHouse house, ModelId target, SwapOptions options)
      throws ModelSwapException {
    house.registry.swapWithRollback(target, options);
    return house.runtime.loadPriority();
  }

  @Test
  void whatAnOldModelKeepsIsInTheReport() throws Exception {
    try (ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA)) {
      house.runtime.leakOnce(1000);
      house.script.fail(PortCall.MODEL_CLOSE, 1, Fault.DECLARED);
      SwapReport report = house.registry.swapWithRollback(BETA);
      assertEquals(SwapOutcome.SWAPPED, report.outcome());
      assertSays("alpha could not be unloaded whole", new Exception(report.error().orElseThrow()));
      ReclaimReport reclaim = report.reclaim().orElseThrow();
      assertTrue(reclaim.left().stream().anyMatch(held -> held.owner().contains("alpha")));
      assertEquals(1000, reclaim.missing().bytes());
      assertEquals(Geometry.BETA.tag(), house.ask("ada", tokens(9, 1)).model());
      house.registry.close();
      house.runtime.restart(); // frees what was left
    }
  }

  /** What others take while the old model leaves is not the old model's. */
  @Test
  void whatTheNewModelTakesMeanwhileCountsForNothing() throws Exception {
    try (ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA)) {
      house.runtime.countsEachModel();
      Script.Hold closing = house.script.hold(PortCall.MODEL_CLOSE);
      CompletableFuture<SwapReport> swap =
          Elsewhere.call(() -> house.registry.swapWithRollback(BETA));
      closing.awaitReached();
      house.ask("ada", tokens(200, 1));
      closing.release();
      ReclaimReport reclaim = swap.get(10, TimeUnit.SECONDS).reclaim().orElseThrow();
      assertEquals(1.0, reclaim.reclaimedShare());
      assertEquals(List.of(), reclaim.left());
    }
  }

  @Test
  void aPlanEstimatesByWhatIsGoingOn() throws Exception {
    try (ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA)) {
      assertEquals(false, house.registry.swapWithRollback(BETA).busy());
      assertEquals(false, house.registry.swapWithRollback(ALPHA).busy());
      assertEquals(1, house.registry.plan(BETA).estimate().orElseThrow().swaps());
      house.ask("ada", tokens(9, 1));
      assertTrue(house.registry.swapWithRollback(BETA).busy());
      house.ask("ada", tokens(9, 1));
      assertTrue(house.registry.swapWithRollback(ALPHA).busy());
      assertEquals(1, house.registry.plan(BETA).estimate().orElseThrow().swaps());
      assertEquals(
          2,
          house.registry.history().stream()
              .filter(past -> past.to().equals(Optional.of(BETA)))
              .count());
    }
  }
}
