package dev.semantic.registry;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.assertSays;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelId;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapCancelledException;
import dev.semantic.swap.SwapConflict;
import dev.semantic.swap.SwapOutcome;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapReport;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Swaps that are watched and called off by their handles. */
@Timeout(60)
class ModelSwapTest {
  private static final ModelId BETA = Geometry.BETA.id();
  private static final SwapOptions QUEUED = SwapOptions.builder().ifBusy(SwapConflict.WAIT).build();

  @RegisterExtension final ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA);

  private ModelSwap swap(SwapOptions options) {
    return host.registry.swapAsync(BETA, options);
  }

  private ModelId answering() {
    host.ask("ada", tokens(9, 1));
    return host.registry.current().orElseThrow().id();
  }

  @Test
  void itTellsHowFarItIsAndHowItEnded() throws Exception {
    Script.Hold hold = host.script.hold(PortCall.LOAD);
    ModelSwap swap = swap(SwapOptions.DEFAULTS);
    hold.awaitReached();
    assertEquals(BETA, swap.target());
    assertFalse(swap.isDone());
    await().atMost(PATIENCE).until(() -> swap.phase().equals(Optional.of(SwapPhase.LOADING)));
    hold.release();
    SwapReport report = swap.await();
    assertEquals(SwapOutcome.SWAPPED, report.outcome());
    assertEquals(report, swap.toCompletableFuture().get(4, TimeUnit.SECONDS));
    assertTrue(swap.isDone());
    assertEquals(Optional.empty(), swap.phase());
    assertFalse(swap.loaded().equals(ByteSize.ZERO));
    assertEquals(swap.toLoad(), swap.loaded());
    assertEquals(BETA, answering());
    assertFalse(swap.cancel(), "it has ended");
  }

  @Test
  void oneThatIsCalledOffLeavesTheOldModel() throws Exception {
    Script.Hold hold = host.script.hold(PortCall.LOAD);
    ModelSwap swap = swap(SwapOptions.DEFAULTS);
    hold.awaitReached();
    assertTrue(swap.cancel());
    hold.release();
    ModelSwapException told = assertThrows(ModelSwapException.class, swap::await);
    assertEquals(SwapOutcome.CANCELLED, told.report().outcome());
    assertEquals(Geometry.ALPHA.id(), answering());
  }

  @Test
  void oneThatFailsFailsItsFuture() {
    ModelSwap swap = host.registry.swapAsync(new ModelId("nobody"), SwapOptions.DEFAULTS);
    assertThrows(ModelSwapException.class, swap::await);
    CompletableFuture<SwapReport> future = swap.toCompletableFuture();
    await().atMost(PATIENCE).until(future::isCompletedExceptionally);
    assertInstanceOf(ModelSwapException.class, future.exceptionNow());
    assertEquals(Geometry.ALPHA.id(), answering());
  }

  @Test
  void anotherIsRefusedAtOnceOrWaitsAndMayBeCalledOffMeanwhile() throws Exception {
    Script.Hold hold = host.script.hold(PortCall.LOAD);
    ModelSwap first = swap(SwapOptions.DEFAULTS);
    hold.awaitReached();
    assertSays(
        "a swap is under way",
        assertThrows(IllegalStateException.class, () -> swap(SwapOptions.DEFAULTS)));
    ModelSwap second = swap(QUEUED);
    ModelSwap third = host.registry.swapAsync(Geometry.ALPHA.id(), QUEUED);
    assertTrue(second.cancel());
    assertThrows(SwapCancelledException.class, second::await);
    assertEquals(Optional.empty(), third.phase());
    hold.release();
    assertEquals(SwapOutcome.SWAPPED, first.await().outcome());
    assertEquals(SwapOutcome.SWAPPED, third.await().outcome());
    assertEquals(Geometry.ALPHA.id(), answering());
  }

  @Test
  void toCancelTheFutureIsToCallOffTheSwap() throws Exception {
    Script.Hold hold = host.script.hold(PortCall.LOAD);
    ModelSwap swap = swap(SwapOptions.DEFAULTS);
    hold.awaitReached();
    assertTrue(swap.toCompletableFuture().cancel(true));
    hold.release();
    assertThrows(ModelSwapException.class, swap::await);
    assertEquals(Geometry.ALPHA.id(), answering());
  }

  @Test
  void aClosedRegistrySwapsNoMore() throws Exception {
    Script.Hold hold = host.script.hold(PortCall.LOAD);
    ModelSwap first = swap(SwapOptions.DEFAULTS);
    hold.awaitReached();
    ModelSwap second = swap(QUEUED);
    Thread closing = Thread.ofVirtual().start(host.registry::close);
    assertThrows(IllegalStateException.class, second::await);
    hold.release();
    assertThrows(ModelSwapException.class, first::await);
    closing.join(PATIENCE);
    assertThrows(IllegalStateException.class, () -> swap(QUEUED));
  }
}
