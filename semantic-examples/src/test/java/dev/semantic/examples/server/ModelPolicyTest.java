package dev.semantic.examples.server;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.examples.server.clients.ModelPolicy;
import dev.semantic.scripted.Fault;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Requests that name another model than the one that serves. */
@Timeout(60)
class ModelPolicyTest {
  private static ServedModels served(ModelPolicy policy, Duration maxWait) {
    return ServedModels.alpha(
        ServerOptions.LOCAL.withModels(policy, Map.of("gpt-4o", "alpha")).withMaxWait(maxWait));
  }

  private static ServedModels.Reply ask(ServedModels served, String model) throws Exception {
    return served.post(
        "/v1/chat/completions",
        """
        {"model": "%s", "temperature": 0, "max_tokens": 3,
         "messages": [{"role": "user", "content": "Hi"}]}\
        """
            .formatted(model));
  }

  private static CompletableFuture<ServedModels.Reply> asked(ServedModels served, String model) {
    CompletableFuture<ServedModels.Reply> reply = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                reply.complete(ask(served, model));
              } catch (Throwable t) {
                reply.completeExceptionally(t);
              }
            });
    return reply;
  }

  @Test
  void anotherNameOfTheModelThatServesIsAnswered() throws Exception {
    try (ServedModels served = served(ModelPolicy.REFUSE, Duration.ofSeconds(9))) {
      ServedModels.Reply reply = ask(served, "gpt-4o");
      assertEquals(200, reply.status(), reply.response().body());
      assertEquals("alpha", reply.json().get("model").asText());
      ServedModels.Reply other = ask(served, "beta");
      assertEquals(404, other.status());
      assertTrue(other.response().body().contains("alpha"), other.response().body());
    }
  }

  @Test
  void whoWaitsForAModelIsAnsweredWhenAnAdminHasSwappedToIt() throws Exception {
    try (ServedModels served = served(ModelPolicy.QUEUE, Duration.ofSeconds(20))) {
      CompletableFuture<ServedModels.Reply> waiting = asked(served, "beta");
      assertEquals(200, ask(served, "alpha").status());
      assertFalse(waiting.isDone());
      served.registry.swapWithRollback(Geometry.BETA.id());
      ServedModels.Reply reply = waiting.get(20, TimeUnit.SECONDS);
      assertEquals(200, reply.status(), reply.response().body());
      assertEquals("beta", reply.json().get("model").asText());
      assertEquals(404, ask(served, "nobody").status());
    }
  }

  @Test
  void whoHasWaitedTooLongMayComeAgain() throws Exception {
    try (ServedModels served = served(ModelPolicy.QUEUE, Duration.ofMillis(300))) {
      ServedModels.Reply reply = ask(served, "beta");
      assertEquals(503, reply.status(), reply.response().body());
      assertFalse(reply.header("Retry-After").isEmpty());
    }
  }

  @Test
  void requestsForTwoModelsTakeTurnsWithoutThrash() throws Exception {
    try (ServedModels served = served(ModelPolicy.AUTO, Duration.ofSeconds(30));
        ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      List<CompletableFuture<Void>> all = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        String model = i % 2 == 0 ? "alpha" : "beta";
        all.add(
            CompletableFuture.runAsync(
                () -> {
                  try {
                    ServedModels.Reply reply = ask(served, model);
                    assertEquals(200, reply.status(), reply.response().body());
                    assertEquals(model, reply.json().get("model").asText());
                  } catch (Exception e) {
                    throw new IllegalStateException(e);
                  }
                },
                clients));
      }
      for (CompletableFuture<Void> each : all) {
        each.get(40, TimeUnit.SECONDS);
      }
      int swaps = served.registry.history().size() - 1; // the first was a load
      assertTrue(swaps >= 1 && swaps <= 3, swaps + " swaps for ten requests of each");
    }
  }

  @Test
  void aModelThatCannotServeIsToldToThoseWhoWaitAndTheOtherGoesOn() throws Exception {
    try (ServedModels served = served(ModelPolicy.AUTO, Duration.ofSeconds(30))) {
      served.script.failForGood(PortCall.LOAD, 1, Fault.DECLARED);
      ServedModels.Reply reply = ask(served, "beta");
      assertTrue(reply.status() >= 400, reply.response().body());
      served.script.heal();
      await()
          .atMost(Duration.ofSeconds(9))
          .untilAsserted(() -> assertEquals(200, ask(served, "alpha").status()));
      assertEquals(200, ask(served, "beta").status());
    }
  }
}
