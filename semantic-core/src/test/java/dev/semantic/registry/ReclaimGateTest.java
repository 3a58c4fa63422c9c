package dev.semantic.registry;

import static dev.semantic.scripted.ScriptedHost.assertSays;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.ReclaimReport;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.ReclaimFallback;
import dev.semantic.swap.ReclaimPolicy;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapReport;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** An unload that leaves memory behind, and what each policy makes of it. */
class ReclaimGateTest {
  private static final ModelId BETA = Geometry.BETA.id();
  private static final long LITTLE = 20_000;
  private static final long MUCH = 200_000;

  private static SwapOptions policy(double tolerance, ReclaimFallback fallback) {
    return SwapOptions.builder().reclaim(new ReclaimPolicy(tolerance, fallback)).build();
  }

  @Test
  void whatIsWithinTheToleranceIsNoMatter() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
      host.runtime.leakOnce(LITTLE);
      SwapReport report = host.registry.swapWithRollback(BETA, policy(0.05, ReclaimFallback.STOP));
      assertEquals(0.98, report.reclaim().orElseThrow().reclaimedShare(), 1e-9);
      host.runtime.restart();
    }
  }

  @Test
  void aSwapGoesOnIfTheNextModelFitsBesideWhatIsLeft() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
      host.runtime.leakOnce(LITTLE);
      SwapReport report = host.registry.swapWithRollback(BETA);
      ReclaimReport reclaim = report.reclaim().orElseThrow();
      assertEquals(new ByteSize(LITTLE), reclaim.afterUnload());
      assertSays("forgotten [1]", new Exception(reclaim.left().toString()));
      assertEquals(Optional.of(BETA), report.serving());
      host.runtime.restart();
    }
  }

  @Test
  void aRuntimeThatCountsLessThanNothingIsNoReasonToStay() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
      host.runtime.leakOnce(-LITTLE);
      SwapReport report = host.registry.swapWithRollback(BETA);
      assertEquals(Optional.of(BETA), report.serving());
      assertEquals(ByteSize.ZERO, report.reclaim().orElseThrow().afterUnload());
      host.runtime.restart();
    }
  }

  @Test
  void aSwapStopsBeforeItLoadsIfTheNextModelDoesNotFit() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
      host.runtime.leakOnce(MUCH);
      var failed =
          assertThrows(ModelSwapException.class, () -> host.registry.swapWithRollback(BETA));
      assertEquals(SwapPhase.UNLOADING, failed.phase());
      assertSays("does not fit beside it", failed);
      assertSays("alpha: forgotten [1], 195.3 KiB", failed);
      assertEquals(Optional.of(Geometry.ALPHA.id()), failed.serving().map(ModelSpec::id));
      assertEquals(Geometry.ALPHA.tag(), host.ask("ada", tokens(9, 1)).model());
      host.runtime.restart();
    }
  }

  @Test
  void aSwapStopsIfItIsToldTo() {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
      host.runtime.leakOnce(LITTLE);
      var stop = policy(0.001, ReclaimFallback.STOP);
      var failed =
          assertThrows(ModelSwapException.class, () -> host.registry.swapWithRollback(BETA, stop));
      assertInstanceOf(ModelException.class, failed.getCause());
      assertEquals(Geometry.ALPHA.tag(), host.ask("ada", tokens(9, 1)).model());
      host.runtime.restart();
    }
  }

  @Test
  void startingTheRuntimeOverFreesTheRest() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
      host.runtime.leakOnce(MUCH);
      var restart = policy(0.001, ReclaimFallback.RESTART_RUNTIME);
      SwapReport report = host.registry.swapWithRollback(BETA, restart);
      assertEquals(ByteSize.ZERO, report.reclaim().orElseThrow().afterUnload());
      assertEquals(1, host.script.count(PortCall.RESTART));
    }
  }

  @Test
  void aModelThatWasMadeBeforeTheOldOneBrokeServesWhateverIsLeft() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      host.runtime.leakOnce(MUCH);
      SwapReport report = host.registry.swapWithRollback(BETA, policy(0.001, ReclaimFallback.STOP));
      assertEquals(Optional.of(BETA), report.serving());
      assertTrue(report.reclaim().orElseThrow().reclaimedShare() < 0.9);
      host.runtime.restart();
    }
  }
}
