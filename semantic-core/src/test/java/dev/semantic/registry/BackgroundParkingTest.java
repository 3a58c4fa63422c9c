package dev.semantic.registry;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.request;
import static dev.semantic.scripted.ScriptedHost.said;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelId;
import dev.semantic.scripted.Elsewhere;
import dev.semantic.scripted.Fault;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapReport;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Agents are parked while nothing else is to be done, and a swap finds little left. */
class BackgroundParkingTest {
  private static final ModelId ALPHA = Geometry.ALPHA.id();
  private static final ModelId BETA = Geometry.BETA.id();

  private static ScriptedHost house(ByteSize budget) {
    ScriptedHost host =
        new ScriptedHost(budget, builder -> builder.engine(ScriptedHost.engine(16, true)));
    host.registry.load(ALPHA);
    return host;
  }

  private static CompletableFuture<SwapReport> swap(ScriptedHost host) {
    return Elsewhere.call(() -> host.registry.swapWithRollback(BETA));
  }

  @Test
  void whoeverFellSilentIsParkedOnceAndNotAgainByASwap() throws Exception {
    try (ScriptedHost host = house(ScriptedHost.ROOMY)) {
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      await().atMost(PATIENCE).until(() -> host.script.count(PortCall.STORE_PARK) == 1);
      int[] bob = said(tokens(30, 2), host.ask("bob", tokens(30, 2)));
      await().atMost(PATIENCE).until(() -> host.script.count(PortCall.STORE_PARK) == 2);
      SwapReport there = host.registry.swapWithRollback(BETA);
      assertEquals(2, there.agentsParked());
      assertEquals(2, host.script.count(PortCall.STORE_PARK));
      assertEquals(2, host.registry.swapWithRollback(ALPHA).agentsRestored());
      assertEquals(2, host.registry.swapWithRollback(BETA).agentsParked());
      assertEquals(2, host.script.count(PortCall.STORE_PARK), "restored, and not changed since");
      host.registry.swapWithRollback(ALPHA);
      assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
      assertEquals(bob.length - 1, host.ask("bob", bob).cachedTokens());
    }
  }

  @Test
  void whatWasSaidWhileItWasWrittenIsParkedToo() throws Exception {
    try (ScriptedHost host = house(ScriptedHost.TIGHT)) {
      Script.Hold writing = host.script.hold(PortCall.STORE_PARK);
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      writing.awaitReached();
      ada = said(ada, host.ask("ada", ada));
      writing.release();
      assertEquals(1, host.registry.swapWithRollback(BETA).agentsParked());
      host.registry.swapWithRollback(ALPHA);
      assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
    }
  }

  @Test
  void aSwapWaitsForWhatIsBeingWrittenAndCanBeCalledOff() throws Exception {
    try (ScriptedHost host = house(ScriptedHost.ROOMY)) {
      Script.Hold writing = host.script.hold(PortCall.STORE_PARK);
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      writing.awaitReached();
      CompletableFuture<SwapReport> swap = swap(host);
      await()
          .atMost(PATIENCE)
          .until(() -> host.registry.status().phase().equals(Optional.of(SwapPhase.PARKING)));
      assertFalse(swap.isDone());
      assertTrue(host.registry.cancelSwap());
      assertThrows(ExecutionException.class, () -> swap.get(10, TimeUnit.SECONDS));
      writing.release();
      assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
      assertEquals(1, host.registry.swapWithRollback(BETA).agentsParked());
    }
  }

  @Test
  void aDrainWaitsForWhatIsBeingCopied() throws Exception {
    try (ScriptedHost host = house(ScriptedHost.ROOMY)) {
      Script.Hold copying = host.script.hold(PortCall.SNAPSHOT);
      host.ask(request("ada", 5, tokens(30, 1))).await(PATIENCE);
      copying.awaitReached();
      CompletableFuture<SwapReport> swap = swap(host);
      await()
          .atMost(PATIENCE)
          .until(() -> host.registry.status().phase().equals(Optional.of(SwapPhase.DRAINING)));
      assertFalse(swap.isDone());
      copying.release();
      assertEquals(1, swap.get(10, TimeUnit.SECONDS).agentsParked());
    }
  }

  @Test
  void whatCouldNotBeWrittenIsWrittenByTheSwap() throws Exception {
    for (PortCall call : new PortCall[] {PortCall.SNAPSHOT, PortCall.STORE_PARK}) {
      try (ScriptedHost host = house(ScriptedHost.TIGHT)) {
        host.script.fail(call, 1, Fault.OUT_OF_MEMORY);
        int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
        await().atMost(PATIENCE).until(host.script::fired);
        assertEquals(1, host.registry.swapWithRollback(BETA).agentsParked());
        host.registry.swapWithRollback(ALPHA);
        assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
      }
    }
  }
}
