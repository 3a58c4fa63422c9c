package dev.semantic.registry;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.request;
import static dev.semantic.scripted.ScriptedHost.said;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelTag;
import dev.semantic.scripted.Elsewhere;
import dev.semantic.scripted.Fault;
import dev.semantic.scripted.ForwardedStore;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.swap.SwapReport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Agents come back behind the model that serves already. */
class AgentPrefetchTest {
  private static final ModelId ALPHA = Geometry.ALPHA.id();
  private static final ModelId BETA = Geometry.BETA.id();

  private final Doors store = new Doors();

  /** Where one waits who has read a cache. */
  private static final class Door {
    private final CountDownLatch reached = new CountDownLatch(1);
    private final CountDownLatch open = new CountDownLatch(1);

    void pass() {
      reached.countDown();
      try {
        assertTrue(open.await(20, TimeUnit.SECONDS), "nobody opened");
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    void awaitReached() throws InterruptedException {
      assertTrue(reached.await(10, TimeUnit.SECONDS), "nobody reads");
    }

    void open() {
      open.countDown();
    }
  }

  /** A store that tells what is loaded, and lets a test keep an agent's cache back. */
  private static final class Doors extends ForwardedStore {
    private final List<String> loaded = Collections.synchronizedList(new ArrayList<>());
    private final Map<String, Door> shut = new ConcurrentHashMap<>();

    /** Whoever has read the agent's cache next waits; others after him do not. */
    Door shut(String agent) {
      Door door = new Door();
      shut.put(agent, door);
      return door;
    }

    @Override
    public Optional<KvSnapshot> load(AgentId agent, ModelTag tag) {
      loaded.add(agent.name());
      Optional<KvSnapshot> found = inner.load(agent, tag);
      Door door = shut.remove(agent.name());
      if (door != null) {
        door.pass();
      }
      return found;
    }
  }

  private ScriptedHost house(int restored) {
    ScriptedHost host =
        new ScriptedHost(
            ScriptedHost.TIGHT,
            builder -> builder.caches(store).engine(ScriptedHost.engine(restored, false)));
    host.registry.load(ALPHA);
    return host;
  }

  private static CompletableFuture<SwapReport> swapBack(ScriptedHost host) {
    return Elsewhere.call(() -> host.registry.swapWithRollback(ALPHA));
  }

  @Test
  void othersAreServedWhileTheyComeBackAndWhoAsksWaitsForItsOwnOnly() throws Exception {
    try (ScriptedHost host = house(16)) {
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      int[] bob = said(tokens(30, 2), host.ask("bob", tokens(30, 2)));
      host.registry.swapWithRollback(BETA);
      store.loaded.clear();
      String first = store.inner.parked(Geometry.ALPHA.tag()).getFirst().agent().name();
      String second = first.equals("ada") ? "bob" : "ada";
      Door door = store.shut(first);
      CompletableFuture<SwapReport> swap = swapBack(host);
      door.awaitReached();
      assertFalse(swap.isDone());
      assertEquals(0, host.ask("eve", tokens(9, 9)).cachedTokens());
      int[] its = second.equals("ada") ? ada : bob;
      assertEquals(its.length - 1, host.ask(second, its).cachedTokens());
      int[] others = second.equals("ada") ? bob : ada;
      assertEquals(others.length - 1, host.ask(first, others).cachedTokens(), "reads its own");
      door.open();
      SwapReport report = swap.get(10, TimeUnit.SECONDS);
      assertEquals(2, report.agentsRestored());
      assertEquals(1, Collections.frequency(store.loaded, second));
      // what was read before it asked is not what it is now
      int[] longer = said(others, host.ask(first, others));
      assertEquals(longer.length - 1, host.ask(first, longer).cachedTokens());
    }
  }

  @Test
  void whatWasReadBeforeItAskedDoesNotTakeThePlaceOfWhatItIsNow() throws Exception {
    try (ScriptedHost host = house(16)) {
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      host.registry.swapWithRollback(BETA);
      Door door = store.shut("ada");
      CompletableFuture<SwapReport> swap = swapBack(host);
      door.awaitReached();
      int[] longer = said(ada, host.ask("ada", ada));
      host.ask(GenerationRequest.of(new Prompt.Tokens(tokens(2000, 3))).maxTokens(1).build())
          .await(PATIENCE); // needs all the room, so that she is parked as she is now
      door.open();
      assertEquals(1, swap.get(10, TimeUnit.SECONDS).agentsRestored());
      assertEquals(longer.length - 1, host.ask("ada", longer).cachedTokens());
    }
  }

  @Test
  void theMostRecentComeFirstAndNoMoreThanAreWanted() throws Exception {
    try (ScriptedHost host = house(2)) {
      for (int i = 0; i < 5; i++) {
        host.ask("agent " + i, tokens(30, i));
      }
      host.registry.swapWithRollback(BETA);
      List<String> recent =
          store.inner.parked(Geometry.ALPHA.tag()).stream().map(one -> one.agent().name()).toList();
      store.loaded.clear();
      assertEquals(2, host.registry.swapWithRollback(ALPHA).agentsRestored());
      assertEquals(recent.subList(0, 2), store.loaded);
      assertEquals(29, host.ask("agent 0", tokens(30, 0)).cachedTokens());
    }
  }

  @Test
  void nobodyHasToLeaveForWhoIsBroughtBack() throws Exception {
    try (ScriptedHost host = house(16)) {
      for (int i = 0; i < 4; i++) {
        host.ask("agent " + i, tokens(600, i)); // 3 of 8 blocks each
      }
      host.registry.swapWithRollback(BETA);
      store.loaded.clear();
      assertEquals(2, host.registry.swapWithRollback(ALPHA).agentsRestored());
      assertEquals(2, store.loaded.size(), "read for nothing");
    }
  }

  @ParameterizedTest
  @EnumSource(Fault.class)
  void whoCannotBeBroughtBackKeepsNobodyElseAway(Fault fault) throws Exception {
    for (PortCall call :
        List.of(PortCall.RESTORE, PortCall.PLACES, PortCall.OCCUPY, PortCall.STORE_LOAD)) {
      try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
        host.runtime.readsInPlace(call != PortCall.RESTORE);
        host.ask("ada", tokens(30, 1));
        host.ask("bob", tokens(30, 2));
        host.registry.swapWithRollback(BETA);
        host.script.fail(call, 1, fault);
        assertEquals(1, host.registry.swapWithRollback(ALPHA).agentsRestored());
        assertTrue(host.script.fired());
        host.script.heal();
        assertEquals(29, host.ask("ada", tokens(30, 1)).cachedTokens());
        assertEquals(29, host.ask("bob", tokens(30, 2)).cachedTokens());
      }
    }
  }

  @Test
  void stepsAndThoseWhoComeBackTakeTurns() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
      for (int i = 0; i < 5; i++) {
        host.ask("agent " + i, tokens(30, i));
      }
      host.registry.swapWithRollback(BETA);
      List<PortCall> calls = Collections.synchronizedList(new ArrayList<>());
      Script.Hold hold = host.script.hold(PortCall.STORE_PARKED);
      CompletableFuture<SwapReport> swap = swapBack(host);
      hold.awaitReached();
      Script.Hold step = host.script.hold(PortCall.FORWARD);
      Generation eve = host.ask(request("eve", 100, tokens(9, 9)));
      step.awaitReached(); // nobody is back, and she is being answered
      host.script.onVisit(
          call -> {
            if (call == PortCall.RESTORE || call == PortCall.FORWARD) {
              calls.add(call);
            }
          });
      hold.release();
      await().atMost(PATIENCE).until(() -> host.script.count(PortCall.STORE_LOAD) > 0);
      step.release();
      eve.await(PATIENCE);
      assertEquals(5, swap.get(10, TimeUnit.SECONDS).agentsRestored());
      for (int i = 1; i < calls.size() && calls.contains(PortCall.FORWARD); i++) {
        boolean both = calls.get(i - 1) == PortCall.RESTORE && calls.get(i) == PortCall.RESTORE;
        boolean later = calls.subList(i, calls.size()).contains(PortCall.FORWARD);
        assertFalse(both && later, () -> "two at a time: " + calls);
      }
    }
  }

  @Test
  void aSwapThatComesMeanwhileEndsIt() throws Exception {
    try (ScriptedHost host = house(16)) {
      host.ask("ada", tokens(30, 1));
      host.registry.swapWithRollback(BETA);
      Door door = store.shut("ada");
      SwapReport hasty =
          host.registry.swapWithRollback(
              ALPHA, SwapOptions.builder().phaseTimeout(Duration.ofMillis(200)).build());
      assertEquals(0, hasty.agentsRestored(), "she is not back, and it does not say so");
      host.registry.swapWithRollback(BETA);
      door.open();
      host.ask("bob", tokens(30, 2));
      assertEquals(1, host.registry.swapWithRollback(ALPHA).agentsRestored());
      assertEquals(29, host.ask("ada", tokens(30, 1)).cachedTokens());
    }
  }

  @Test
  void pinnedAgentsComeFirstHoweverLongAgoTheyAsked() throws Exception {
    try (ScriptedHost host = house(1)) {
      host.registry.pin(new AgentId("agent 0"));
      host.registry.pin(new AgentId("agent 2"));
      for (int i = 0; i < 5; i++) {
        host.ask("agent " + i, tokens(30, i));
      }
      host.registry.swapWithRollback(BETA);
      store.loaded.clear();
      assertEquals(3, host.registry.swapWithRollback(ALPHA).agentsRestored());
      assertEquals(3, store.loaded.size());
      assertTrue(store.loaded.subList(0, 2).containsAll(List.of("agent 0", "agent 2")));
    }
  }
}
