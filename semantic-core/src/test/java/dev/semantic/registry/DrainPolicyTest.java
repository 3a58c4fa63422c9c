package dev.semantic.registry;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.assertSays;
import static dev.semantic.scripted.ScriptedHost.request;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.ArrivalPolicy;
import dev.semantic.generate.DrainPolicy;
import dev.semantic.generate.EngineMode;
import dev.semantic.generate.FinishReason;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.kv.AgentId;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelId;
import dev.semantic.scripted.Elsewhere;
import dev.semantic.scripted.Fault;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapOutcome;
import dev.semantic.swap.SwapReport;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of requests when the model is changed: those under way, and those that come. */
class DrainPolicyTest {
  private static final ModelId ALPHA = Geometry.ALPHA.id();
  private static final ModelId BETA = Geometry.BETA.id();
  private static final int LONG = 400;

  /** Goes on past end tokens, so that it is still running when the swap comes. */
  private static GenerationRequest endless(String agent) {
    return GenerationRequest.of(new Prompt.Tokens(tokens(20, 1)))
        .agent(new AgentId(agent))
        .ignoreEos(true)
        .maxTokens(LONG)
        .build();
  }

  private static GenerationRequest endlessOfNobody() {
    return GenerationRequest.of(new Prompt.Tokens(tokens(25, 3)))
        .ignoreEos(true)
        .maxTokens(LONG)
        .build();
  }

  private static SwapOptions policy(DrainPolicy policy, Duration returnWithin) {
    return SwapOptions.builder().drainPolicy(policy).returnWithin(returnWithin).build();
  }

  /** A model that stands still between two tokens, after some have been said. */
  private static Script.Hold heldInTheMiddle(ScriptedHost host) {
    return host.script.hold(PortCall.FORWARD, 7);
  }

  private static void letGoOnceDraining(ScriptedHost host, Script.Hold hold) {
    await().atMost(PATIENCE).until(() -> host.registry.status().engine() == EngineMode.DRAINING);
    hold.release();
  }

  private static CompletableFuture<SwapReport> swap(
      ScriptedHost host, ModelId target, SwapOptions options) {
    return Elsewhere.call(() -> host.registry.swapWithRollback(target, options));
  }

  private static void assertSwapped(CompletableFuture<SwapReport> swap) throws Exception {
    assertEquals(SwapOutcome.SWAPPED, swap.get(10, TimeUnit.SECONDS).outcome());
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aPreemptedRequestGoesOnWhenTheSwapFails(boolean ofAnAgent) throws Exception {
    for (ByteSize budget : List.of(ScriptedHost.ROOMY, ScriptedHost.TIGHT)) {
      try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, budget)) {
        Script.Hold hold = heldInTheMiddle(host);
        Generation running = host.ask(ofAnAgent ? endless("ada") : endlessOfNobody());
        hold.awaitReached();
        // the last time that it is asked for, in ACTIVATING
        host.script.fail(PortCall.TEXT, budget.equals(ScriptedHost.TIGHT) ? 3 : 2, Fault.DECLARED);
        CompletableFuture<SwapReport> failing =
            swap(host, BETA, policy(DrainPolicy.PREEMPT, Duration.ZERO));
        letGoOnceDraining(host, hold);
        assertThrows(ExecutionException.class, () -> failing.get(10, TimeUnit.SECONDS));
        GenerationResult answer = running.await(PATIENCE);
        assertEquals(FinishReason.MAX_TOKENS, answer.reason());
        assertEquals(LONG, answer.tokens().size()); // which ones, the house checks
      }
    }
  }

  @Test
  void aPreemptedRequestGoesOnWhenItsModelReturns() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Script.Hold hold = heldInTheMiddle(host);
      Generation running = host.ask(endless("ada"));
      hold.awaitReached();
      var wait = policy(DrainPolicy.PREEMPT, Duration.ofMinutes(1));
      CompletableFuture<SwapReport> there = swap(host, BETA, wait);
      letGoOnceDraining(host, hold);
      assertSwapped(there);
      assertFalse(running.isDone());
      assertEquals(Geometry.BETA.tag(), host.ask("bob", tokens(9, 2)).model());
      host.registry.swapWithRollback(ALPHA);
      GenerationResult answer = running.await(PATIENCE);
      assertEquals(LONG, answer.tokens().size());
      assertEquals(Geometry.ALPHA.tag(), answer.model());
      assertEquals(1, countFinished(running));
    }
  }

  private static int countFinished(Generation generation) {
    var events = generation.events();
    int count = 0;
    while (events.hasNext()) {
      events.next();
      count++;
    }
    assertEquals(LONG + 1, count, "every token once, and the end");
    return 1;
  }

  @Test
  void aPreemptedRequestWhoseModelIsGoneEndsWithWhatItHas() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Script.Hold hold = heldInTheMiddle(host);
      Generation running = host.ask(endless("ada"));
      hold.awaitReached();
      CompletableFuture<SwapReport> there =
          swap(host, BETA, policy(DrainPolicy.PREEMPT, Duration.ZERO));
      letGoOnceDraining(host, hold);
      assertSwapped(there);
      GenerationResult answer = running.await(PATIENCE);
      assertEquals(FinishReason.PREEMPTED, answer.reason());
      List<Integer> right = Geometry.ALPHA.answer(tokens(20, 1), LONG, true);
      assertEquals(right.subList(0, answer.tokens().size()), answer.tokens());
      assertEquals(Geometry.ALPHA.tag(), answer.model());
    }
  }

  @Test
  void aPreemptedRequestCanBeCancelled() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Script.Hold hold = heldInTheMiddle(host);
      Generation running = host.ask(endless("ada"));
      hold.awaitReached();
      CompletableFuture<SwapReport> there =
          swap(host, BETA, policy(DrainPolicy.PREEMPT, Duration.ofMinutes(1)));
      letGoOnceDraining(host, hold);
      assertSwapped(there);
      running.cancel();
      assertEquals(FinishReason.CANCELLED, running.await(PATIENCE).reason());
    }
  }

  @Test
  void aRejectedRequestSaysWhenToAskAgainAndItsAgentKeepsWhatWasComputed() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Script.Hold hold = heldInTheMiddle(host);
      Generation running = host.ask(endless("ada"));
      hold.awaitReached();
      CompletableFuture<SwapReport> there =
          swap(host, BETA, policy(DrainPolicy.REJECT, Duration.ZERO));
      letGoOnceDraining(host, hold);
      assertSwapped(there);
      var told = assertThrows(RequestException.class, () -> running.await(PATIENCE));
      assertSays("the model is being changed", told);
      assertEquals(RequestException.Kind.CANCELLED, told.kind());
      assertTrue(told.retryAfter().isPresent());
      host.registry.swapWithRollback(ALPHA);
      assertTrue(host.ask("ada", tokens(20, 1)).cachedTokens() > 0);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"PREEMPT", "REJECT"})
  void aDrainThatRunsOutOfTimeStopsNobody(String policy) throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Script.Hold hold = heldInTheMiddle(host);
      Generation running = host.ask(endless("ada"));
      hold.awaitReached();
      var soon =
          SwapOptions.builder()
              .drainPolicy(DrainPolicy.valueOf(policy))
              .drainTimeout(Duration.ofMillis(20))
              .build();
      assertThrows(ModelSwapException.class, () -> host.registry.swapWithRollback(BETA, soon));
      hold.release();
      assertEquals(LONG, running.await(PATIENCE).tokens().size());
    }
  }

  @Test
  void arrivalsAreRefusedWhileNoModelServesIfTheSwapSaysSo() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
      Script.Hold hold = host.script.hold(PortCall.LOAD);
      var refuse = SwapOptions.builder().arrivals(ArrivalPolicy.REFUSE).build();
      CompletableFuture<SwapReport> there = swap(host, BETA, refuse);
      hold.awaitReached();
      var told =
          assertThrows(RequestException.class, () -> host.ask(request("ada", 3, tokens(9, 1))));
      assertTrue(told.retryAfter().isPresent());
      hold.release();
      assertSwapped(there);
      assertEquals(Geometry.BETA.tag(), host.ask("ada", tokens(9, 1)).model());
    }
  }

  @Test
  void whoNamesTheModelThatIsComingWaitsForItWhileTheOldOneServes() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Script.Hold hold = host.script.hold(PortCall.LOAD);
      CompletableFuture<SwapReport> there = swap(host, BETA, SwapOptions.DEFAULTS);
      hold.awaitReached();
      var text = GenerationRequest.of(new Prompt.Tokens(tokens(9, 1))).maxTokens(2);
      Generation named = host.ask(text.model(BETA).build());
      assertEquals(Geometry.ALPHA.tag(), host.ask("bob", tokens(9, 2)).model());
      assertFalse(named.isDone());
      hold.release();
      assertSwapped(there);
      assertEquals(Geometry.BETA.tag(), named.await(PATIENCE).model());
    }
  }
}
