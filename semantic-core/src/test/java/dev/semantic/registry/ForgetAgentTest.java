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

import dev.semantic.generate.DrainPolicy;
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
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.scripted.ScriptedStore;
import dev.semantic.store.CacheStore;
import dev.semantic.store.CacheView;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.store.InactiveModelPolicy;
import dev.semantic.store.MaintenancePolicy;
import dev.semantic.store.MemoryCacheStore;
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

  private static ScriptedHost house(CacheStore store, boolean writeBehind) {
    ScriptedHost host =
        new ScriptedHost(
            ScriptedHost.ROOMY,
            builder -> builder.caches(store).engine(ScriptedHost.engine(16, writeBehind)));
    host.registry.load(ALPHA);
    return host;
  }

  /** A house whose store the script holds up. */
  private static ScriptedHost scripted(boolean writeBehind) {
    ScriptedHost host =
        new ScriptedHost(
            ScriptedHost.ROOMY, builder -> builder.engine(ScriptedHost.engine(16, writeBehind)));
    host.registry.load(ALPHA);
    return host;
  }

  private static MemoryCacheStore memory() {
    return new MemoryCacheStore(ByteSize.ofMiB(1));
  }

  private static void swap(ScriptedHost host, ModelId model) throws Exception {
    host.registry.swapWithRollback(model);
  }

  @Test
  void sheBeginsFromNothingUnderEachModel() throws Exception {
    MemoryCacheStore store = memory();
    try (ScriptedHost host = house(store, true)) {
      host.registry.pin(ADA);
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      int[] bob = said(tokens(30, 2), host.ask("bob", tokens(30, 2)));
      swap(host, BETA);
      host.ask("ada", tokens(30, 1));
      swap(host, ALPHA);
      assertEquals(2, host.registry.forget(ADA));
      assertEquals(0, host.registry.forget(ADA));
      assertTrue(store.parked(ADA, TAG).isEmpty());
      assertTrue(store.parked(ADA, Geometry.BETA.tag()).isEmpty());
      assertEquals(1, host.registry.status().hotAgents());
      assertEquals(0, host.ask("ada", ada).cachedTokens());
      assertEquals(bob.length - 1, host.ask("bob", bob).cachedTokens());
    }
  }

  @Test
  void whatIsBeingSaidIsDroppedAtItsEnd() throws Exception {
    MemoryCacheStore store = memory();
    try (ScriptedHost host = house(store, true)) {
      Script.Hold computing = host.script.hold(PortCall.FORWARD);
      Generation under = host.ask(request("ada", 5, tokens(30, 1)));
      Generation waits = host.ask(request("ada", 5, tokens(40, 1)));
      computing.awaitReached();
      assertEquals(0, host.registry.forget(ADA));
      computing.release();
      int[] ada = said(tokens(30, 1), under.await(PATIENCE));
      assertEquals(0, waits.await(PATIENCE).cachedTokens());
      assertEquals(5, ada.length - 30);
      assertEquals(0, host.ask("ada", ada).cachedTokens());
    }
  }

  @Test
  void whoWasPreemptedGoesOnFromNothing() throws Exception {
    try (ScriptedHost host = scripted(false)) {
      Script.Hold computing = host.script.hold(PortCall.FORWARD, 3);
      Generation under = host.ask(request("ada", 9, tokens(30, 1)));
      computing.awaitReached();
      SwapOptions options =
          SwapOptions.builder()
              .drainPolicy(DrainPolicy.PREEMPT)
              .returnWithin(Duration.ofMinutes(1))
              .build();
      CompletableFuture<?> swap =
          Elsewhere.call(() -> host.registry.swapWithRollback(BETA, options));
      await().atMost(PATIENCE).until(() -> host.registry.status().phase().isPresent());
      computing.release();
      swap.get(10, TimeUnit.SECONDS);
      host.registry.forget(ADA);
      swap(host, ALPHA);
      int[] ada = said(tokens(30, 1), under.await(PATIENCE));
      assertEquals(0, host.ask("ada", ada).cachedTokens());
    }
  }

  @Test
  void whatIsBeingWrittenIsRemovedBeforeForgettingIsOver() throws Exception {
    MemoryCacheStore inner = memory();
    Script script = new Script();
    try (ScriptedHost host = house(new ScriptedStore(inner, script), true)) {
      Script.Hold writing = script.hold(PortCall.STORE_PARK);
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      writing.awaitReached();
      CompletableFuture<Integer> forgetting = Elsewhere.call(() -> host.registry.forget(ADA));
      await().atMost(PATIENCE).until(() -> host.registry.status().hotAgents() == 0);
      assertFalse(forgetting.isDone());
      writing.release();
      forgetting.get(10, TimeUnit.SECONDS);
      assertTrue(inner.parked(ADA, TAG).isEmpty());
      assertEquals(0, host.ask("ada", ada).cachedTokens());
    }
  }

  @Test
  void whoIsParkedByASwapMeanwhileIsForgotten() throws Exception {
    MemoryCacheStore inner = memory();
    Script script = new Script();
    try (ScriptedHost host = house(new ScriptedStore(inner, script), false)) {
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      Script.Hold writing = script.hold(PortCall.STORE_PARK);
      CompletableFuture<?> swap = Elsewhere.call(() -> host.registry.swapWithRollback(BETA));
      writing.awaitReached();
      CompletableFuture<Integer> forgetting = Elsewhere.call(() -> host.registry.forget(ADA));
      await().atMost(PATIENCE).until(() -> host.registry.status().hotAgents() == 0);
      writing.release();
      forgetting.get(10, TimeUnit.SECONDS);
      assertTrue(inner.parked(ADA, TAG).isEmpty());
      swap.get(10, TimeUnit.SECONDS);
      swap(host, ALPHA);
      assertEquals(0, host.ask("ada", ada).cachedTokens());
    }
  }

  @Test
  void whoIsBeingBroughtBackIsNot() throws Exception {
    MemoryCacheStore inner = memory();
    Script script = new Script();
    try (ScriptedHost host = house(new ScriptedStore(inner, script), false)) {
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      swap(host, BETA);
      Script.Hold reading = script.hold(PortCall.STORE_LOAD);
      CompletableFuture<?> swap = Elsewhere.call(() -> host.registry.swapWithRollback(ALPHA));
      reading.awaitReached();
      assertEquals(1, host.registry.forget(ADA));
      reading.release();
      swap.get(10, TimeUnit.SECONDS);
      assertEquals(0, host.registry.status().hotAgents());
      assertEquals(0, host.ask("ada", ada).cachedTokens());
    }
  }

  @Test
  void whatARequestIsReadingIsNotKept() throws Exception {
    MemoryCacheStore inner = memory();
    Script script = new Script();
    try (ScriptedHost host = house(new ScriptedStore(inner, script), false)) {
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      host.registry.unload();
      Script.Hold bringing = script.hold(PortCall.STORE_PARKED); // nobody but she herself
      CompletableFuture<?> load = Elsewhere.call(() -> host.registry.load(ALPHA));
      bringing.awaitReached();
      Script.Hold reading = script.hold(PortCall.STORE_LOAD);
      Generation under = host.ask(request("ada", 5, ada));
      reading.awaitReached();
      assertEquals(1, host.registry.forget(ADA));
      reading.release();
      bringing.release();
      int[] more = said(ada, under.await(PATIENCE));
      load.get(10, TimeUnit.SECONDS);
      assertEquals(0, host.ask("ada", more).cachedTokens());
    }
  }

  @Test
  void ofADirectoryNoRoomKeepsAnything() throws Exception {
    try (DiskCacheStore store =
            DiskCacheStore.open(
                root, MaintenancePolicy.DEFAULTS.withInactiveModels(InactiveModelPolicy.ARCHIVE));
        ScriptedHost host = house(store, true)) {
      int[] ada = said(tokens(300, 1), host.ask("ada", tokens(300, 1)));
      int[] bob = said(tokens(300, 1), host.ask("bob", tokens(300, 1)));
      swap(host, BETA); // alpha's are in the archive
      host.ask("ada", tokens(30, 1));
      await().atMost(PATIENCE).until(() -> store.parked(Geometry.BETA.tag()).size() == 1);
      assertEquals(2, host.registry.forget(ADA));
      assertEquals(
          List.of("bob"),
          CacheView.of(root).list().stream()
              .map(entry -> entry.cache().orElseThrow().agent().name())
              .toList());
      swap(host, ALPHA);
      assertTrue(host.ask("ada", ada).cachedTokens() <= 256, "more than she shares with bob");
      assertEquals(bob.length - 1, host.ask("bob", bob).cachedTokens());
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
    try (ScriptedHost host = house(cannot, false)) {
      host.ask("ada", tokens(30, 1));
      assertThrows(UnsupportedOperationException.class, () -> host.registry.forget(ADA));
      assertEquals(0, host.registry.status().hotAgents());
    }
  }
}
