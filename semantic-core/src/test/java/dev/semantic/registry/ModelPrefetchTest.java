package dev.semantic.registry;

import static dev.semantic.scripted.ScriptedHost.assertSays;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.scripted.Fault;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapPlan;
import dev.semantic.swap.SwapStrategy;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;

/** What can be asked about a model, and done for it, while another one serves. */
class ModelPrefetchTest {
  private static final ModelId BETA = Geometry.BETA.id();
  private static final ModelId NOWHERE = new ModelId("nowhere");

  @Test
  void aModelIsValidatedWithoutTouchingTheOneThatServes() {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      assertEquals(Geometry.BETA.spec(), host.registry.validate(BETA));
      assertThrows(ModelException.class, () -> host.registry.validate(NOWHERE));
      assertEquals(1, host.script.count(PortCall.LOAD), "alpha's own");
      assertEquals(1, host.runtime.openPrepared());
    }
  }

  @Test
  void weightsAreReadAndComputedWithOnRequest() {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      long before = host.runtime.memory().activeBytes();
      assertEquals(Geometry.BETA.spec(), host.registry.validateWeights(BETA));
      assertEquals(2, host.script.count(PortCall.LOAD), "alpha's own, and beta's");
      assertEquals(1, host.runtime.openPrepared());
      assertEquals(before, host.runtime.memory().activeBytes());
      host.script.fail(PortCall.LOAD, 1, Fault.DECLARED);
      assertThrows(ModelException.class, () -> host.registry.validateWeights(BETA));
      assertTrue(host.script.fired());
      assertEquals(1, host.runtime.openPrepared());
      assertEquals(Geometry.ALPHA.id(), host.registry.current().orElseThrow().id());
      assertEquals(5, host.ask("ada", tokens(4, 1)).tokens().size());
    }
  }

  @Test
  void weightsThatDoNotFitBesideTheModelThatServesAreNotRead() {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, new ByteSize(2_500_000))) {
      ModelException refused =
          assertThrows(ModelException.class, () -> host.registry.validateWeights(BETA));
      assertEquals(ModelException.Kind.DOES_NOT_FIT, refused.kind());
      assertSays("Unload that first", refused);
      assertEquals(1, host.script.count(PortCall.LOAD), "alpha's own");
    }
  }

  @Test
  void aModelThatCannotFitIsRefusedWithTheSizes() {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, new ByteSize(1_800_000))) {
      assertSays(
          "more than the budget of",
          assertThrows(ModelException.class, () -> host.registry.validate(BETA)));
    }
  }

  @Test
  void aPlanTellsTheWayTheBytesAndWhatItTookBefore() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      SwapPlan first = host.registry.plan(BETA);
      assertEquals(SwapStrategy.MAKE_BEFORE_BREAK, first.strategy());
      assertEquals(Optional.of(Geometry.BETA.spec().compute()), first.compute());
      assertEquals(new ByteSize(2_000_000), first.toLoad());
      assertEquals(new ByteSize(1_000_000 + 2_000_000 + (128 << 10) + 20_000), first.needed());
      assertEquals(Optional.empty(), first.estimate());
      host.registry.swapWithRollback(BETA);
      host.registry.swapWithRollback(Geometry.ALPHA.id());
      var estimate = host.registry.plan(BETA).estimate().orElseThrow();
      assertEquals(1, estimate.swaps());
      assertEquals(host.registry.history().get(1).total(), estimate.total());
      assertEquals(3, host.registry.history().size());
    }
  }

  @Test
  void aModelIsPreparedInTheBackground() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Script.Hold hold = host.script.hold(PortCall.READ_AHEAD);
      ModelPrefetch preparation = host.registry.prepare(BETA);
      hold.awaitReached();
      assertEquals(Geometry.ALPHA.tag(), host.ask("ada", tokens(9, 1)).model());
      assertEquals(new ByteSize(1_000_000), preparation.done());
      assertEquals(new ByteSize(2_000_000), preparation.total());
      hold.release();
      assertEquals(Geometry.BETA.spec(), preparation.await());
      assertEquals(preparation.total(), preparation.done());
      host.registry.swapWithRollback(BETA);
    }
  }

  @Test
  void aModelThatIsElsewhereIsFetchedWhileTheOtherServes() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      host.runtime.putElsewhere(500_000);
      assertSays(
          "has not been fetched",
          assertThrows(ModelSwapException.class, () -> host.registry.swapWithRollback(BETA)));
      Script.Hold hold = host.script.hold(PortCall.FETCH);
      ModelPrefetch preparation = host.registry.prepare(BETA);
      hold.awaitReached();
      assertEquals(new ByteSize(250_000), preparation.done());
      assertEquals(new ByteSize(500_000), preparation.total());
      assertEquals(Geometry.ALPHA.tag(), host.ask("ada", tokens(9, 1)).model());
      hold.release();
      assertEquals(Geometry.BETA.spec(), preparation.await());
      host.registry.swapWithRollback(BETA);
      assertEquals(Geometry.BETA.tag(), host.ask("ada", tokens(9, 1)).model());
    }
  }

  @Test
  void aFetchCanBeCancelledAndCanFail() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      host.runtime.putElsewhere(500_000);
      Script.Hold hold = host.script.hold(PortCall.FETCH);
      ModelPrefetch cancelled = host.registry.prepare(BETA);
      hold.awaitReached();
      cancelled.cancel();
      hold.release();
      assertThrows(CancellationException.class, cancelled::await);
      host.script.fail(PortCall.FETCH, 1, Fault.DECLARED);
      assertThrows(ModelException.class, () -> host.registry.prepare(BETA).await());
      assertTrue(host.script.fired());
      assertEquals(1, host.runtime.openPrepared());
    }
  }

  @Test
  void aPreparationCanBeCancelledAndCanFail() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Script.Hold hold = host.script.hold(PortCall.READ_AHEAD);
      ModelPrefetch cancelled = host.registry.prepare(BETA);
      hold.awaitReached();
      cancelled.cancel();
      hold.release();
      assertThrows(CancellationException.class, cancelled::await);
      assertThrows(ModelException.class, () -> host.registry.prepare(NOWHERE).await());
      host.script.fail(PortCall.READ_AHEAD, 1, Fault.OUT_OF_MEMORY);
      assertThrows(ModelException.class, () -> host.registry.prepare(BETA).await());
      assertEquals(1, host.runtime.openPrepared());
    }
  }

  @Test
  void readingAheadIsAHintWhereOnlyOneModelFits() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
      host.script.fail(PortCall.READ_AHEAD, 1, Fault.DECLARED);
      host.registry.swapWithRollback(BETA);
      assertTrue(host.script.fired());
    }
  }
}
