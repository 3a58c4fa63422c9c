package dev.semantic.registry;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.assertSays;
import static dev.semantic.scripted.ScriptedHost.request;
import static dev.semantic.scripted.ScriptedHost.said;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelId;
import dev.semantic.registry.RegistryStatus.Activity;
import dev.semantic.scripted.Fault;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.store.MemoryCacheStore;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapListener;
import dev.semantic.swap.SwapOutcome;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapReport;
import dev.semantic.swap.SwapStrategy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Swaps that go well. */
class SwapTest {
  private static final ModelId ALPHA = Geometry.ALPHA.id();
  private static final ModelId BETA = Geometry.BETA.id();

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void agentsGoOnAfterASwapThereAndBack(boolean roomy) throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, budget(roomy))) {
      int[] ada = said(tokens(300, 1), host.ask("ada", tokens(300, 1)));
      int[] bob = said(tokens(30, 2), host.ask("bob", tokens(30, 2)));

      SwapReport there = host.registry.swapWithRollback(BETA);
      assertEquals(SwapOutcome.SWAPPED, there.outcome());
      assertEquals(2, there.agentsParked());
      assertEquals(0, there.agentsRestored());
      SwapStrategy strategy =
          roomy ? SwapStrategy.MAKE_BEFORE_BREAK : SwapStrategy.BREAK_BEFORE_MAKE;
      assertEquals(strategy, there.plan().orElseThrow().strategy());
      assertEquals(strategy.phases(), List.copyOf(there.phases().keySet()));
      assertEquals(1.0, there.reclaim().orElseThrow().reclaimedShare());
      assertTrue(there.blackout().compareTo(there.total()) <= 0);
      assertEquals(new ByteSize(2_000_000), there.activeAfter());
      assertEquals(0, host.ask("ada", ada).cachedTokens(), "another model's memory");

      SwapReport back = host.registry.swapWithRollback(ALPHA);
      assertEquals(2, back.agentsRestored());
      long before = host.runtime.computedTokens();
      assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
      assertEquals(bob.length - 1, host.ask("bob", bob).cachedTokens());
      assertTrue(host.runtime.computedTokens() - before <= 10, "prompts were computed again");
    }
  }

  private static ByteSize budget(boolean roomy) {
    return roomy ? ScriptedHost.ROOMY : ScriptedHost.TIGHT;
  }

  @Test
  void theSameGeometryWithOtherWeightsIsAnotherMemory() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      host.registry.swapWithRollback(Geometry.TWIN.id());
      int[] twin = said(ada, host.ask("ada", ada));
      host.registry.swapWithRollback(ALPHA);
      assertEquals(ada.length - 1, host.ask("ada", twin).cachedTokens());
      host.registry.swapWithRollback(Geometry.TWIN.id());
      assertEquals(twin.length - 1, host.ask("ada", twin).cachedTokens());
    }
  }

  @Test
  void thePoolCountsInTheGeometryOfTheModelThatServes() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      assertEquals(8, host.registry.pool().availableBlocks());
      host.registry.swapWithRollback(BETA);
      assertEquals(2, host.registry.pool().availableBlocks());
      host.script.fail(PortCall.TEXT, 2, Fault.UNCHECKED); // in ACTIVATING
      assertThrows(ModelSwapException.class, () -> host.registry.swapWithRollback(ALPHA));
      assertEquals(2, host.registry.pool().availableBlocks());
      host.registry.swapWithRollback(ALPHA);
      assertEquals(8, host.registry.pool().availableBlocks());
    }
  }

  @Test
  void whoeverComesDuringASwapIsAnsweredByTheModelThatTheyMean() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
      Script.Hold hold = host.script.hold(PortCall.LOAD);
      CompletableFuture<SwapReport> swap = swapElsewhere(host, BETA);
      hold.awaitReached();
      RegistryStatus status = host.registry.status();
      assertEquals(Activity.IN_PROGRESS, status.activity());
      assertEquals(Optional.of(SwapPhase.LOADING), status.phase());
      assertEquals(new ByteSize(1_000_000), status.loaded());
      assertEquals(new ByteSize(2_000_000), status.toLoad());
      var text = GenerationRequest.of(new Prompt.Text("hello")).maxTokens(2);
      Generation any = host.ask(text.build());
      Generation old = host.ask(text.model(ALPHA).build());
      Generation next = host.ask(text.model(BETA).build());
      var second =
          assertThrows(IllegalStateException.class, () -> host.registry.swapWithRollback(ALPHA));
      assertSays("a swap is under way", second);
      hold.release();
      swap.get(20, TimeUnit.SECONDS);
      assertEquals(6, any.await(PATIENCE).promptTokens(), "not the new model's tokens: BOS first");
      assertEquals(Geometry.BETA.tag(), next.await(PATIENCE).model());
      assertSays(
          "meant for alpha, but beta serves",
          assertThrows(RequestException.class, () -> old.await(PATIENCE)));
      assertEquals(Activity.SUCCESS, host.registry.status().activity());
    }
  }

  private static CompletableFuture<SwapReport> swapElsewhere(ScriptedHost host, ModelId to) {
    CompletableFuture<SwapReport> result = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                result.complete(host.registry.swapWithRollback(to));
              } catch (Throwable t) {
                result.completeExceptionally(t);
              }
            });
    return result;
  }

  @Test
  void whoWaitsMayCancelAndNobodyWaitsLongerThanTheyWish() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
      Script.Hold hold = host.script.hold(PortCall.LOAD);
      CompletableFuture<SwapReport> swap = swapElsewhere(host, BETA);
      hold.awaitReached();
      Generation cancelled = host.ask(request("ada", 1, tokens(9, 1)));
      Generation hurried =
          host.ask(
              GenerationRequest.of(new Prompt.Tokens(tokens(9, 1)))
                  .deadline(Duration.ofMillis(20))
                  .build());
      cancelled.cancel();
      assertSays(
          "Not begun: cancelled after",
          assertThrows(RequestException.class, () -> cancelled.await(PATIENCE)));
      assertSays(
          "Not begun: waited", assertThrows(RequestException.class, () -> hurried.await(PATIENCE)));
      hold.release();
      swap.get(20, TimeUnit.SECONDS);
    }
  }

  @Test
  void listenersHearOfEveryPhaseAndCanSpoilNothing() throws Exception {
    List<String> heard = new ArrayList<>();
    List<Throwable> refusals = new ArrayList<>();
    ScriptedHost[] here = new ScriptedHost[1];
    SwapListener meddler =
        new SwapListener() {
          @Override
          public void phase(SwapPhase phase) {
            heard.add(phase.toString());
            if (here[0] != null) {
              refusals.add(
                  assertThrows(IllegalStateException.class, () -> here[0].registry.close()));
              refusals.add(
                  assertThrows(
                      IllegalStateException.class, () -> here[0].registry.swapWithRollback(ALPHA)));
            }
            throw new IllegalStateException("a listener's own mistake");
          }

          @Override
          public void progress(ByteSize done, ByteSize total) {
            throw new AssertionError("another one");
          }

          @Override
          public void finished(SwapReport report) {
            heard.add(report.outcome().toString());
            throw new OutOfMemoryError("and a third");
          }
        };
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT, meddler)) {
      here[0] = host;
      heard.clear();
      host.registry.swapWithRollback(BETA);
      assertEquals(
          List.of(
              "PREPARING", "DRAINING", "PARKING", "UNLOADING", "LOADING", "ACTIVATING", "SWAPPED"),
          heard);
      assertEquals(12, refusals.size());
      host.ask("ada", tokens(9, 1));
    }
  }

  @Test
  void anUnloadGivesEverythingBack() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      SwapReport report = host.registry.unload();
      assertEquals(0, host.runtime.activeBytes());
      assertEquals(1, report.agentsParked());
      assertEquals(Optional.empty(), host.registry.current());
      assertThrows(RequestException.class, () -> host.ask("ada", ada));
      assertThrows(IllegalStateException.class, host.registry::unload);
      host.registry.load(BETA);
      assertThrows(IllegalStateException.class, () -> host.registry.load(ALPHA));
      host.registry.swapWithRollback(ALPHA);
      assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
    }
  }

  @Test
  void nothingKeepsAnUnloadedModelReachable() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
      List<Object> kept = new ArrayList<>();
      kept.add(host.ask(request("ada", 3, tokens(30, 1))));
      ((Generation) kept.getFirst()).await(PATIENCE);
      kept.add(host.registry.swapWithRollback(BETA));
      host.script.fail(PortCall.LOAD, 1, Fault.ERROR);
      kept.add(assertThrows(ModelSwapException.class, () -> host.registry.swapWithRollback(ALPHA)));
      kept.add(host.registry.status());
      assertReachable(1, host, kept);
      kept.add(host.registry.unload());
      assertReachable(0, host, kept);
    }
  }

  private static void assertReachable(int models, ScriptedHost host, List<Object> kept)
      throws InterruptedException {
    for (int i = 0; i < 100 && host.runtime.reachableModels() > models; i++) {
      System.gc();
      Thread.sleep(10);
    }
    assertEquals(models, host.runtime.reachableModels(), () -> "kept by one of " + kept);
  }

  @Test
  void aCloseParksEveryAgentForTheNextRegistry() {
    MemoryCacheStore store = new MemoryCacheStore();
    int[] ada;
    try (ScriptedHost host =
        new ScriptedHost(ScriptedHost.ROOMY, builder -> builder.caches(store))) {
      host.registry.load(ALPHA);
      ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
    }
    try (ScriptedHost host =
        new ScriptedHost(ScriptedHost.ROOMY, builder -> builder.caches(store))) {
      assertEquals(1, host.registry.load(ALPHA).agentsRestored());
      assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
    }
  }

  @Test
  void aClosedRegistrySaysSo() {
    ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA);
    host.close();
    host.registry.close();
    assertSays(
        "The registry is closed",
        assertThrows(RequestException.class, () -> host.ask("ada", tokens(9, 1))));
    assertThrows(IllegalStateException.class, () -> host.registry.load(ALPHA));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void manySwapsUnderLoadLoseNothing(boolean roomy) throws Exception {
    List<Geometry> models = List.of(Geometry.BETA, Geometry.GAMMA, Geometry.TWIN, Geometry.ALPHA);
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, budget(roomy))) {
      host.runtime.countsEachModel();
      List<CompletableFuture<Integer>> agents = new ArrayList<>();
      for (int agent = 0; agent < 5; agent++) {
        String name = "agent " + agent;
        int seed = agent;
        CompletableFuture<Integer> talk = new CompletableFuture<>();
        agents.add(talk);
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    talk.complete(converse(host, name, seed));
                  } catch (Throwable t) {
                    talk.completeExceptionally(t);
                  }
                });
      }
      for (int swap = 0; swap < 20; swap++) {
        Geometry next = models.get(swap % models.size());
        SwapReport report = host.registry.swapWithRollback(next.id());
        assertEquals(1.0, report.reclaim().orElseThrow().reclaimedShare(), report::toString);
      }
      for (CompletableFuture<Integer> talk : agents) {
        assertEquals(40, talk.get(30, TimeUnit.SECONDS));
      }
    } catch (ExecutionException e) {
      throw new AssertionError("an agent's conversation broke off", e);
    }
  }

  private static int converse(ScriptedHost host, String name, int seed) {
    int[] conversation = tokens(10, seed);
    int answers = 0;
    while (answers < 40) {
      conversation = said(conversation, host.ask(name, conversation));
      answers++;
    }
    return answers;
  }
}
