package dev.semantic.registry;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.assertSays;
import static dev.semantic.scripted.ScriptedHost.request;
import static dev.semantic.scripted.ScriptedHost.tokens;
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
import dev.semantic.scripted.ScriptedHost;
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
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Script.Hold hold = host.script.hold(PortCall.FORWARD);
      Generation running = host.ask(request("ada", 5, tokens(20, 1)));
      hold.awaitReached();
      SwapReport report = host.registry.swapWithRollback(ALPHA); // waits for nobody
      hold.release();
      assertEquals(SwapOutcome.UNCHANGED, report.outcome());
      assertEquals(Optional.of(ALPHA), report.serving());
      assertEquals(Set.of(SwapPhase.PREPARING), report.phases().keySet());
      assertTrue(report.blackout().isZero());
      assertEquals(RegistryStatus.Activity.SUCCESS, host.registry.status().activity());
      assertEquals(1, host.runtime.openPrepared());
      assertEquals(Geometry.ALPHA.tag(), running.await(PATIENCE).model());
    }
  }

  @Test
  void whoWantsItLoadedAnewGetsThat() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      SwapReport report =
          host.registry.swapWithRollback(ALPHA, SwapOptions.builder().reload(true).build());
      assertEquals(SwapOutcome.SWAPPED, report.outcome());
      assertTrue(report.phases().containsKey(SwapPhase.LOADING));
      assertEquals(Geometry.ALPHA.tag(), host.ask("ada", tokens(9, 1)).model());
    }
  }

  @Test
  void aModelWithoutAChatTemplateIsRefusedBeforeAnybodyIsDrained() throws Exception {
    SwapOptions options = SwapOptions.builder().requireChatTemplate(true).build();
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
      host.runtime.withoutChatTemplate(Geometry.BETA);
      assertTrue(host.registry.validate(ALPHA).chatTemplate());
      assertEquals(false, host.registry.validate(BETA).chatTemplate());
      var refused = assertThrows(ModelException.class, () -> host.registry.validate(BETA, options));
      assertEquals(ModelException.Kind.NO_CHAT_TEMPLATE, refused.kind());
      var failed =
          assertThrows(
              ModelSwapException.class, () -> host.registry.swapWithRollback(BETA, options));
      var cause = assertInstanceOf(ModelException.class, failed.getCause());
      assertEquals(ModelException.Kind.NO_CHAT_TEMPLATE, cause.kind());
      assertEquals(SwapOutcome.REFUSED, failed.report().outcome());
      assertEquals(Set.of(SwapPhase.PREPARING), failed.report().phases().keySet());
      assertEquals(Optional.of(ALPHA), failed.serving().map(ModelSpec::id));
      host.registry.swapWithRollback(BETA); // who does not require one gets it
    }
  }

  @Test
  void howUrgentALoadIsReachesTheBackendWhileSomebodyIsServed() throws Exception {
    try (ScriptedHost host = new ScriptedHost()) {
      assertEquals(LoadPriority.AT_ONCE, priority(host, ALPHA, SwapOptions.DEFAULTS));
      assertEquals(LoadPriority.BALANCED, priority(host, BETA, SwapOptions.DEFAULTS));
      for (LoadPriority each : LoadPriority.values()) {
        SwapOptions options = SwapOptions.builder().loadPriority(each).reload(true).build();
        assertEquals(each, priority(host, ALPHA, options));
      }
    }
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
      assertEquals(LoadPriority.AT_ONCE, priority(host, BETA, SwapOptions.DEFAULTS));
    }
  }

  private static LoadPriority priority(ScriptedHost host, ModelId target, SwapOptions options)
      throws ModelSwapException {
    host.registry.swapWithRollback(target, options);
    return host.runtime.loadPriority();
  }

  @Test
  void whatAnOldModelKeepsIsInTheReport() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      host.runtime.leakOnce(1000);
      host.script.fail(PortCall.MODEL_CLOSE, 1, Fault.DECLARED);
      SwapReport report = host.registry.swapWithRollback(BETA);
      assertEquals(SwapOutcome.SWAPPED, report.outcome());
      assertSays("alpha could not be unloaded whole", new Exception(report.error().orElseThrow()));
      ReclaimReport reclaim = report.reclaim().orElseThrow();
      assertTrue(reclaim.left().stream().anyMatch(held -> held.owner().contains("alpha")));
      assertEquals(1000, reclaim.missing().bytes());
      assertEquals(Geometry.BETA.tag(), host.ask("ada", tokens(9, 1)).model());
      host.registry.close();
      host.runtime.restart(); // frees what was left
    }
  }

  /** What others take while the old model leaves is not the old model's. */
  @Test
  void whatTheNewModelTakesMeanwhileCountsForNothing() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      host.runtime.countsEachModel();
      Script.Hold closing = host.script.hold(PortCall.MODEL_CLOSE);
      CompletableFuture<SwapReport> swap =
          Elsewhere.call(() -> host.registry.swapWithRollback(BETA));
      closing.awaitReached();
      host.ask("ada", tokens(200, 1));
      closing.release();
      ReclaimReport reclaim = swap.get(10, TimeUnit.SECONDS).reclaim().orElseThrow();
      assertEquals(1.0, reclaim.reclaimedShare());
      assertEquals(List.of(), reclaim.left());
    }
  }

  @Test
  void aPlanEstimatesByWhatIsGoingOn() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      assertEquals(false, host.registry.swapWithRollback(BETA).busy());
      assertEquals(false, host.registry.swapWithRollback(ALPHA).busy());
      assertEquals(1, host.registry.plan(BETA).estimate().orElseThrow().swaps());
      host.ask("ada", tokens(9, 1));
      assertTrue(host.registry.swapWithRollback(BETA).busy());
      host.ask("ada", tokens(9, 1));
      assertTrue(host.registry.swapWithRollback(ALPHA).busy());
      assertEquals(1, host.registry.plan(BETA).estimate().orElseThrow().swaps());
      assertEquals(
          2,
          host.registry.history().stream()
              .filter(past -> past.to().equals(Optional.of(BETA)))
              .count());
    }
  }
}
