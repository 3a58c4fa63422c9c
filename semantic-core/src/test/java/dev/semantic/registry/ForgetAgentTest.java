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

import dev.semantic.engine.DrainPolicy;
import dev.semantic.generate.Generation;
import dev.semantic.kv.AgentId;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelTag;
import dev.semantic.scripted.Elsewhere;
import dev.semantic.scripted.ForwardedStore;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHouse;
import dev.semantic.scripted.ScriptedStore;
import dev.semantic.store.CacheStore;
import dev.semantic.store.CacheView;
import dev.semantic.store.Departed;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.store.MemoryCacheStore;
import dev.semantic.store.UpkeepPolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who is forgotten is forgotten everywhere: in memory, on disk, and on the way between them. */
class ForgetAgentTest {
  private static final ModelId ALPHA = Geometry.ALPHA.id();
  private static final ModelId BETA = Geometry.BETA.id();
  private static final ModelTag TAG = Geometry.ALPHA.tag();
  private static final AgentId ADA = new AgentId("ada");

  @TempDir private Path root;

  private static ScriptedHouse house(CacheStore store, boolean writeBehind) {
    ScriptedHouse house =
        new ScriptedHouse(
            ScriptedHouse.ROOMY,
            builder -> builder.caches(store).engine(ScriptedHouse.engine(16, writeBehind)));
    house.registry.load(ALPHA);
    return house;
  }

  /** A house whose store the script holds up. */
  private static ScriptedHouse scripted(boolean writeBehind) {
    ScriptedHouse house =
        new ScriptedHouse(
            ScriptedHouse.ROOMY, builder -> builder.engine(ScriptedHouse.engine(16, writeBehind)));
    house.registry.load(ALPHA);
    return house;
  }

  private static MemoryCacheStore memory() {
    return new MemoryCacheStore(ByteSize.ofMiB(1));
  }

  private static void swap(ScriptedHouse house, ModelId model) throws Exception {
    house.registry.swapWithRollback(model);
  }

  @Test
  void sheBeginsFromNothingUnderEachModel() throws Exception {
    MemoryCacheStore store = memory();
    try (ScriptedHouse house = house(store, true)) {
      house.registry.pin(ADA);
      int[] ada = said(tokens(30, 1), house.ask("ada", tokens(30, 1)));
      int[] bob = said(tokens(30, 2), house.ask("bob", tokens(30, 2)));
      swap(house, BETA);
      house.ask("ada", tokens(30, 1));
      swap(house, ALPHA);
      assertEquals(2, house.registry.forget(ADA));
      assertEquals(0, house.registry.forget(ADA));
      assertTrue(store.parked(ADA, TAG).isEmpty());
      assertTrue(store.parked(ADA, Geometry.BETA.tag()).isEmpty());
      assertEquals(1, house.registry.status().hotAgents());
      assertEquals(0, house.ask("ada", ada).cachedTokens());
      assertEquals(bob.length - 1, house.ask("bob", bob).cachedTokens());
    }
  }

  @Test
  void whatIsBeingSaidIsDroppedAtItsEnd() throws Exception {
    MemoryCacheStore store = memory();
    try (ScriptedHouse house = house(store, true)) {
      Script.Hold computing = house.script.hold(PortCall.FORWARD);
      Generation under = house.ask(request("ada", 5, tokens(30, 1)));
      Generation waits = house.ask(request("ada", 5, tokens(40, 1)));
      computing.awaitReached();
      assertEquals(0, house.registry.forget(ADA));
      computing.release();
      int[] ada = said(tokens(30, 1), under.await(PATIENCE));
      assertEquals(0, waits.await(PATIENCE).cachedTokens());
      assertEquals(5, ada.length - 30);
      assertEquals(0, house.ask("ada", ada).cachedTokens());
    }
  }

  @Test
  void whoWasPreemptedGoesOnFromNothing() throws Exception {
    try (ScriptedHouse house = scripted(false)) {
      Script.Hold computing = house.script.hold(PortCall.FORWARD, 3);
      Generation under = house.ask(request("ada", 9, tokens(30, 1)));
      computing.awaitReached();
      SwapOptions options =
          SwapOptions.builder()
              .drainPolicy(DrainPolicy.PREEMPT)
              .returnWithin(Duration.ofMinutes(1))
              .build();
      CompletableFuture<?> swap =
          Elsewhere.call(() -> house.registry.swapWithRollback(BETA, options));
      await().atMost(PATIENCE).until(() -> house.registry.status().phase().isPresent());
      computing.release();
      swap.get(10, TimeUnit.SECONDS);
      house.registry.forget(ADA);
      swap(house, ALPHA);
      int[] ada = said(tokens(30, 1), under.await(PATIENCE));
      assertEquals(0, house.ask("ada", ada).cachedTokens());
    }
  }

  @Test
  void whatIsBeingWrittenIsRemovedBeforeForgettingIsOver() throws Exception {
    MemoryCacheStore inner = memory();
    Script script = new Script();
    try (ScriptedHouse house = house(new ScriptedStore(inner, script), true)) {
      Script.Hold writing = script.hold(PortCall.STORE_PARK);
      int[] ada = said(tokens(30, 1), house.ask("ada", tokens(30, 1)));
      writing.awaitReached();
      CompletableFuture<Integer> forgetting = Elsewhere.call(() -> house.registry.forget(ADA));
      await().atMost(PATIENCE).until(() -> house.registry.status().hotAgents() == 0);
      assertFalse(forgetting.isDone());
      writing.release();
      forgetting.get(10, TimeUnit.SECONDS);
      assertTrue(inner.parked(ADA, TAG).isEmpty());
      assertEquals(0, house.ask("ada", ada).cachedTokens());
    }
  }

  @Test
  void whoIsParkedByASwapMeanwhileIsForgotten() throws Exception {
    MemoryCacheStore inner = memory();
    Script script = new Script();
    try (ScriptedHouse house = house(new ScriptedStore(inner, script), false)) {
      int[] ada = said(tokens(30, 1), house.ask("ada", tokens(30, 1)));
      Script.Hold writing = script.hold(PortCall.STORE_PARK);
      CompletableFuture<?> swap = Elsewhere.call(() -> house.registry.swapWithRollback(BETA));
      writing.awaitReached();
      CompletableFuture<Integer> forgetting = Elsewhere.call(() -> house.registry.forget(ADA));
      await().atMost(PATIENCE).until(() -> house.registry.status().hotAgents() == 0);
      writing.release();
      forgetting.get(10, TimeUnit.SECONDS);
      assertTrue(inner.parked(ADA, TAG).isEmpty());
      swap.get(10, TimeUnit.SECONDS);
      swap(house, ALPHA);
      assertEquals(0, house.ask("ada", ada).cachedTokens());
    }
  }

  @Test
  void whoIsBeingBroughtBackIsNot() throws Exception {
    MemoryCacheStore inner = memory();
    Script script = new Script();
    try (ScriptedHouse house = house(new ScriptedStore(inner, script), false)) {
      int[] ada = said(tokens(30, 1), house.ask("ada", tokens(30, 1)));
      swap(house, BETA);
      Script.Hold reading = script.hold(PortCall.STORE_LOAD);
      CompletableFuture<?> swap = Elsewhere.call(() -> house.registry.swapWithRollback(ALPHA));
      reading.awaitReached();
      assertEquals(1, house.registry.forget(ADA));
      reading.release();
      swap.get(10, TimeUnit.SECONDS);
      assertEquals(0, house.registry.status().hotAgents());
      assertEquals(0, house.ask("ada", ada).cachedTokens());
    }
  }

  @Test
  void whatARequestIsReadingIsNotKept() throws Exception {
    MemoryCacheStore inner = memory();
    Script script = new Script();
    try (ScriptedHouse house = house(new ScriptedStore(inner, script), false)) {
      int[] ada = said(tokens(30, 1), house.ask("ada", tokens(30, 1)));
      house.registry.unload();
      Script.Hold bringing = script.hold(PortCall.STORE_PARKED); // nobody but she herself
      CompletableFuture<?> load = Elsewhere.call(() -> house.registry.load(ALPHA));
      bringing.awaitReached();
      Script.Hold reading = script.hold(PortCall.STORE_LOAD);
      Generation under = house.ask(request("ada", 5, ada));
      reading.awaitReached();
      assertEquals(1, house.registry.forget(ADA));
      reading.release();
      bringing.release();
      int[] more = said(ada, under.await(PATIENCE));
      load.get(10, TimeUnit.SECONDS);
      assertEquals(0, house.ask("ada", more).cachedTokens());
    }
  }

  @Test
  void ofADirectoryNoRoomKeepsAnything() throws Exception {
    try (DiskCacheStore store =
            DiskCacheStore.open(root, UpkeepPolicy.USUAL.withDeparted(Departed.ARCHIVE));
        ScriptedHouse house = house(store, true)) {
      int[] ada = said(tokens(300, 1), house.ask("ada", tokens(300, 1)));
      int[] bob = said(tokens(300, 1), house.ask("bob", tokens(300, 1)));
      swap(house, BETA); // alpha's are in the archive
      house.ask("ada", tokens(30, 1));
      await().atMost(PATIENCE).until(() -> store.parked(Geometry.BETA.tag()).size() == 1);
      assertEquals(2, house.registry.forget(ADA));
      assertEquals(
          List.of("bob"),
          CacheView.of(root).list().stream()
              .map(entry -> entry.cache().orElseThrow().agent().name())
              .toList());
      swap(house, ALPHA);
      assertTrue(house.ask("ada", ada).cachedTokens() <= 256, "more than she shares with bob");
      assertEquals(bob.length - 1, house.ask("bob", bob).cachedTokens());
    }
  }

  @Test
  void aStoreThatCannotForgetSaysSo() {
    CacheStore cannot =
        new ForwardedStore() {
          @Override
          public int forget(AgentId agent) {
            throw new UnsupportedOperationException("cannot");
          }
        };
    try (ScriptedHouse house = house(cannot, false)) {
      house.ask("ada", tokens(30, 1));
      assertThrows(UnsupportedOperationException.class, () -> house.registry.forget(ADA));
      assertEquals(0, house.registry.status().hotAgents());
    }
  }
}
