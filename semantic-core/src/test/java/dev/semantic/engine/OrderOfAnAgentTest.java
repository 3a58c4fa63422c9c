package dev.semantic.engine;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.DrainPolicy;
import dev.semantic.generate.EngineMode;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.kv.AgentId;
import dev.semantic.registry.SwapOptions;
import dev.semantic.scripted.Fault;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapReport;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What one agent asks is answered in the order in which it was asked, whatever is in its way. */
class OrderOfAnAgentTest {
  @RegisterExtension final ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA);

  private static GenerationRequest.Builder ask(String agent, Prompt prompt) {
    return GenerationRequest.of(prompt).agent(new AgentId(agent)).maxTokens(3).ignoreEos(true);
  }

  private static Prompt some(int seed) {
    return new Prompt.Tokens(tokens(9, seed));
  }

  private CompletableFuture<SwapReport> swap(Geometry target, SwapOptions options) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return host.registry.swapWithRollback(target.id(), options);
          } catch (ModelSwapException e) {
            throw new CompletionException(e);
          }
        });
  }

  private void assertOthersAreServed() {
    assertEquals(5, host.ask("bob", tokens(9, 3)).tokens().size());
  }

  @Test
  void aRequestForTheComingModelIsNotOvertaken() throws Exception {
    Script.Hold loading = host.script.hold(PortCall.LOAD);
    var there = swap(Geometry.BETA, SwapOptions.DEFAULTS);
    loading.awaitReached();
    Generation first = host.ask(ask("ada", some(1)).model(Geometry.BETA.id()).build());
    Generation second = host.ask(ask("ada", some(2)).priority(9).build());
    assertOthersAreServed();
    assertFalse(second.isDone(), "it overtook the first");
    loading.release();
    assertEquals(Geometry.BETA.tag(), second.await(PATIENCE).model());
    assertTrue(first.isDone());
    assertEquals(Geometry.BETA.tag(), first.await(PATIENCE).model());
    there.get(4, TimeUnit.SECONDS);
  }

  @Test
  void aPreemptedRequestIsNotOvertaken() throws Exception {
    Script.Hold step = host.script.hold(PortCall.FORWARD, 3);
    Generation first = host.ask(ask("ada", some(1)).maxTokens(20).build());
    step.awaitReached();
    var options =
        SwapOptions.builder()
            .drainPolicy(DrainPolicy.PREEMPT)
            .returnWithin(Duration.ofSeconds(20))
            .build();
    var there = swap(Geometry.BETA, options);
    while (host.registry.status().engine() != EngineMode.DRAINING) {
      assertFalse(there.isDone());
    }
    step.release();
    there.get(4, TimeUnit.SECONDS);
    assertFalse(first.isDone(), "it was not preempted");
    Generation second = host.ask(ask("ada", some(2)).build());
    assertOthersAreServed();
    assertFalse(second.isDone(), "it overtook the first");
    host.registry.swapWithRollback(Geometry.ALPHA.id());
    assertEquals(3, second.await(PATIENCE).tokens().size());
    assertTrue(first.isDone());
    assertEquals(20, first.await(PATIENCE).tokens().size());
  }

  @Test
  void oneWhosePromptIsStillWorkedOnIsNotOvertaken() throws Exception {
    Script.Hold encoding = host.script.hold(PortCall.ENCODE);
    Generation first = host.ask(ask("ada", new Prompt.Text("a long one")).build());
    encoding.awaitReached();
    Generation second = host.ask(ask("ada", some(2)).priority(9).build());
    assertOthersAreServed();
    assertFalse(second.isDone(), "it overtook the first");
    encoding.release();
    second.await(PATIENCE);
    assertTrue(first.isDone());
  }

  @Test
  void oneThatFailsIsToldInItsTurn() throws Exception {
    Script.Hold step = host.script.hold(PortCall.FORWARD);
    Generation first = host.ask(ask("ada", some(1)).build());
    step.awaitReached();
    host.script.fail(PortCall.ENCODE, 1, Fault.UNCHECKED);
    Generation second = host.ask(ask("ada", new Prompt.Text("bad")).build());
    Generation third = host.ask(ask("ada", some(3)).build());
    step.release();
    third.await(PATIENCE);
    assertTrue(first.isDone() && second.isDone());
    assertThrows(RequestException.class, second::await);
  }

  @Test
  void oneWhoseCacheIsStillReadIsNotOvertaken() throws Exception {
    try (ScriptedHost alone =
        new ScriptedHost(
            ScriptedHost.ROOMY, builder -> builder.engine(ScriptedHost.engine(0, false)))) {
      alone.registry.load(Geometry.ALPHA.id());
      alone.ask("ada", tokens(60, 1));
      alone.registry.swapWithRollback(Geometry.BETA.id());
      alone.registry.swapWithRollback(Geometry.ALPHA.id());
      Script.Hold reading = alone.script.hold(PortCall.STORE_LOAD);
      Generation first = alone.ask(ask("ada", some(1)).build());
      reading.awaitReached();
      Generation second = alone.ask(ask("ada", some(2)).priority(9).build());
      assertEquals(5, alone.ask("bob", tokens(9, 3)).tokens().size());
      assertFalse(first.isDone() || second.isDone(), "the cache is still being read");
      reading.release();
      second.await(PATIENCE);
      assertTrue(first.isDone());
    }
  }
}
