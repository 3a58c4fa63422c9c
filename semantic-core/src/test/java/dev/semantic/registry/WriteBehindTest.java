package dev.semantic.registry;

import static dev.semantic.scripted.ScriptedHouse.PATIENCE;
import static dev.semantic.scripted.ScriptedHouse.request;
import static dev.semantic.scripted.ScriptedHouse.said;
import static dev.semantic.scripted.ScriptedHouse.tokens;
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
import dev.semantic.scripted.ScriptedHouse;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapReport;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Agents are parked while nothing else is to be done, and a swap finds little left. */
class WriteBehindTest {
  private static final ModelId ALPHA = Geometry.ALPHA.id();
  private static final ModelId BETA = Geometry.BETA.id();

  private static ScriptedHouse house(ByteSize budget) {
    ScriptedHouse house =
        new ScriptedHouse(budget, builder -> builder.engine(ScriptedHouse.engine(16, true)));
    house.registry.load(ALPHA);
    return house;
  }

  private static CompletableFuture<SwapReport> swap(ScriptedHouse house) {
    return Elsewhere.call(() -> house.registry.swapWithRollback(BETA));
  }

  @Test
  void whoeverFellSilentIsParkedOnceAndNotAgainByASwap() throws Exception {
    try (ScriptedHouse house = house(ScriptedHouse.ROOMY)) {
      int[] ada = said(tokens(30, 1), house.ask("ada", tokens(30, 1)));
      await().atMost(PATIENCE).until(() -> house.script.count(PortCall.STORE_PARK) == 1);
      int[] bob = said(tokens(30, 2), house.ask("bob", tokens(30, 2)));
      await().atMost(PATIENCE).until(() -> house.script.count(PortCall.STORE_PARK) == 2);
      SwapReport there = house.registry.swapWithRollback(BETA);
      assertEquals(2, there.agentsParked());
      assertEquals(2, house.script.count(PortCall.STORE_PARK));
      assertEquals(2, house.registry.swapWithRollback(ALPHA).agentsRestored());
      assertEquals(2, house.registry.swapWithRollback(BETA).agentsParked());
      assertEquals(2, house.script.count(PortCall.STORE_PARK), "restored, and not changed since");
      house.registry.swapWithRollback(ALPHA);
      assertEquals(ada.length - 1, house.ask("ada", ada).cachedTokens());
      assertEquals(bob.length - 1, house.ask("bob", bob).cachedTokens());
    }
  }

  @Test
  void whatWasSaidWhileItWasWrittenIsParkedToo() throws Exception {
    try (ScriptedHouse house = house(ScriptedHouse.TIGHT)) {
      Script.Hold writing = house.script.hold(PortCall.STORE_PARK);
      int[] ada = said(tokens(30, 1), house.ask("ada", tokens(30, 1)));
      writing.awaitReached();
      ada = said(ada, house.ask("ada", ada));
      writing.release();
      assertEquals(1, house.registry.swapWithRollback(BETA).agentsParked());
      house.registry.swapWithRollback(ALPHA);
      assertEquals(ada.length - 1, house.ask("ada", ada).cachedTokens());
    }
  }

  @Test
  void aSwapWaitsForWhatIsBeingWrittenAndCanBeCalledOff() throws Exception {
    try (ScriptedHouse house = house(ScriptedHouse.ROOMY)) {
      Script.Hold writing = house.script.hold(PortCall.STORE_PARK);
      int[] ada = said(tokens(30, 1), house.ask("ada", tokens(30, 1)));
      writing.awaitReached();
      CompletableFuture<SwapReport> swap = swap(house);
      await()
          .atMost(PATIENCE)
          .until(() -> house.registry.status().phase().equals(Optional.of(SwapPhase.PARKING)));
      assertFalse(swap.isDone());
      assertTrue(house.registry.cancelSwap());
      assertThrows(ExecutionException.class, () -> swap.get(10, TimeUnit.SECONDS));
      writing.release();
      assertEquals(ada.length - 1, house.ask("ada", ada).cachedTokens());
      assertEquals(1, house.registry.swapWithRollback(BETA).agentsParked());
    }
  }

  @Test
  void aDrainWaitsForWhatIsBeingCopied() throws Exception {
    try (ScriptedHouse house = house(ScriptedHouse.ROOMY)) {
      Script.Hold copying = house.script.hold(PortCall.SNAPSHOT);
      house.ask(request("ada", 5, tokens(30, 1))).await(PATIENCE);
      copying.awaitReached();
      CompletableFuture<SwapReport> swap = swap(house);
      await()
          .atMost(PATIENCE)
          .until(() -> house.registry.status().phase().equals(Optional.of(SwapPhase.DRAINING)));
      assertFalse(swap.isDone());
      copying.release();
      assertEquals(1, swap.get(10, TimeUnit.SECONDS).agentsParked());
    }
  }

  @Test
  void whatCouldNotBeWrittenIsWrittenByTheSwap() throws Exception {
    for (PortCall call : new PortCall[] {PortCall.SNAPSHOT, PortCall.STORE_PARK}) {
      try (ScriptedHouse house = house(ScriptedHouse.TIGHT)) {
        house.script.fail(call, 1, Fault.OUT_OF_MEMORY);
        int[] ada = said(tokens(30, 1), house.ask("ada", tokens(30, 1)));
        await().atMost(PATIENCE).until(house.script::fired);
        assertEquals(1, house.registry.swapWithRollback(BETA).agentsParked());
        house.registry.swapWithRollback(ALPHA);
        assertEquals(ada.length - 1, house.ask("ada", ada).cachedTokens());
      }
    }
  }
}
