package dev.semantic.engine;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.assertSays;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.ChatMessage;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.generate.RequestException.Kind;
import dev.semantic.kv.AgentId;
import dev.semantic.registry.SwapOptions;
import dev.semantic.scripted.Fault;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHost;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A prompt is worked on while it waits, and nobody waits for it but who asked. */
class PromptTokenizerTest {
  @RegisterExtension final ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA);

  private static GenerationRequest.Builder text(String agent, String text) {
    return GenerationRequest.of(new Prompt.Text(text))
        .agent(new AgentId(agent))
        .ignoreEos(true)
        .maxTokens(3);
  }

  private static RequestException told(Generation generation) {
    return assertThrows(RequestException.class, () -> generation.await(PATIENCE));
  }

  @Test
  void othersAreServedWhileAPromptBecomesTokens() throws Exception {
    Script.Hold encoding = host.script.hold(PortCall.ENCODE);
    Generation slow = host.ask(text("slow", "a long one").build());
    encoding.awaitReached();
    assertEquals(5, host.ask("ada", tokens(9, 1)).tokens().size());
    assertEquals(3, host.ask(text("bob", "a short one").build()).await(PATIENCE).tokens().size());
    assertFalse(slow.isDone());
    encoding.release();
    assertEquals(10, slow.await(PATIENCE).promptTokens());
  }

  @Test
  void aChatToo() throws Exception {
    Script.Hold encoding = host.script.hold(PortCall.ENCODE);
    var chat = new Prompt.Chat(List.of(ChatMessage.user("Hi")));
    Generation slow = host.ask(GenerationRequest.of(chat).maxTokens(3).build());
    encoding.awaitReached();
    assertEquals(5, host.ask("ada", tokens(9, 1)).tokens().size());
    encoding.release();
    assertEquals("user: Hi\n".length(), slow.await(PATIENCE).promptTokens());
  }

  @Test
  void itIsCancelledAndItsTimeIsLimitedMeanwhile() throws Exception {
    Script.Hold encoding = host.script.hold(PortCall.ENCODE);
    Generation cancelled = host.ask(text("ada", "never mind").build());
    encoding.awaitReached();
    cancelled.cancel();
    assertEquals(Kind.CANCELLED, told(cancelled).kind());
    Script.Hold second = host.script.hold(PortCall.ENCODE);
    Generation late = host.ask(text("ada", "soon").timeLimit(Duration.ofMillis(300)).build());
    second.awaitReached();
    assertEquals(Kind.TIME_LIMIT, told(late).kind());
    assertEquals(0, host.registry.status().waiting());
  }

  /** It may be a stranger's template that takes its time. */
  @Test
  void whoeverIsAtAPromptThatNobodyWantsIsInterrupted() throws Exception {
    CountDownLatch reached = new CountDownLatch(2);
    CountDownLatch stopped = new CountDownLatch(2);
    CountDownLatch never = new CountDownLatch(1);
    host.script.onVisit(
        call -> {
          if (call == PortCall.ENCODE && reached.getCount() > 0) {
            reached.countDown();
            try {
              never.await();
            } catch (InterruptedException e) {
              stopped.countDown();
              Thread.currentThread().interrupt();
            }
          }
        });
    Generation cancelled = host.ask(text("ada", "never mind").build());
    Generation late = host.ask(text("bob", "soon").timeLimit(Duration.ofMillis(300)).build());
    assertTrue(reached.await(PATIENCE.toSeconds(), TimeUnit.SECONDS));
    cancelled.cancel();
    assertEquals(Kind.CANCELLED, told(cancelled).kind());
    assertEquals(Kind.TIME_LIMIT, told(late).kind());
    assertTrue(stopped.await(PATIENCE.toSeconds(), TimeUnit.SECONDS));
    for (int i = 0; i < 4; i++) { // by threads whom no interrupt is left of
      assertEquals(3, host.ask(text("ada", "on").build()).await(PATIENCE).tokens().size());
    }
  }

  @Test
  void aDrainDoesNotWaitForIt() throws Exception {
    Script.Hold encoding = host.script.hold(PortCall.ENCODE);
    Generation slow = host.ask(text("ada", "for whoever serves").build());
    encoding.awaitReached();
    host.registry.swapWithRollback(
        Geometry.BETA.id(), SwapOptions.builder().drainTimeout(Duration.ZERO).build());
    GenerationResult answer = slow.await(PATIENCE); // by tokens of the model that answers
    assertEquals(Geometry.BETA.tag(), answer.model());
    assertEquals(1 + 18, answer.promptTokens());
    encoding.release();
  }

  @Test
  void whatAModelThatLeftFailedAtIsNoFailure() throws Exception {
    Script.Hold encoding = host.script.hold(PortCall.ENCODE);
    host.script.fail(PortCall.ENCODE, 1, Fault.UNCHECKED);
    Generation asked = host.ask(text("ada", "again").build());
    encoding.awaitReached();
    host.registry.swapWithRollback(Geometry.BETA.id());
    encoding.release();
    assertEquals(Geometry.BETA.tag(), asked.await(PATIENCE).model());
  }

  /** What an agent said may be in there; and again if it is put there when it was forgotten. */
  @Test
  void whatATokenizerRemembersIsDroppedWithAnAgent() throws Exception {
    AgentId ada = new AgentId("ada");
    host.ask(text("ada", "a secret").build()).await(PATIENCE);
    host.registry.forget(ada);
    assertEquals(1, host.script.timesTextsWereForgotten());
    Script.Hold encoding = host.script.hold(PortCall.ENCODE);
    Generation slow = host.ask(text("ada", "another").build());
    encoding.awaitReached();
    host.registry.forget(ada);
    assertEquals(2, host.script.timesTextsWereForgotten());
    encoding.release();
    slow.await(PATIENCE);
    assertEquals(3, host.script.timesTextsWereForgotten());
  }

  @ParameterizedTest
  @EnumSource(Fault.class)
  void oneThatFailsIsToldAndNobodyElse(Fault fault) {
    host.script.fail(PortCall.ENCODE, 1, fault);
    assertEquals(Kind.FAILED, told(host.ask(text("ada", "one").build())).kind());
    assertTrue(host.script.fired());
    assertEquals(3, host.ask(text("ada", "two").build()).await(PATIENCE).tokens().size());
  }

  @Test
  void whatCannotFitIsRefusedBeforeItsTokensAreMade() {
    RequestException told = told(host.ask(text("ada", "a".repeat(4096)).build()));
    assertEquals(Kind.TOO_LONG, told.kind());
    assertSays("4096 characters", told);
    assertEquals(0, host.script.count(PortCall.ENCODE));
    // every character may be more than a token
    told = told(host.ask(text("ada", "ö".repeat(2048)).build()));
    assertEquals(Kind.TOO_LONG, told.kind());
    assertSays("4096 tokens", told);
    assertEquals(1, host.script.count(PortCall.ENCODE));
  }

  @Test
  void aChatThatCannotFitIsRefusedBeforeItsTokensAreMade() {
    String much = "a".repeat(5000);
    var chat = new Prompt.Chat(List.of(ChatMessage.user(much)));
    RequestException told = told(host.ask(GenerationRequest.of(chat).build()));
    assertEquals(Kind.TOO_LONG, told.kind());
    assertSays("5007 characters", told);
    assertEquals(0, host.script.count(PortCall.ENCODE));
  }

  @Test
  void oneForAnotherModelIsRefusedWithoutALook() {
    Generation asked = host.ask(text("ada", "hello").model(Geometry.BETA.id()).build());
    assertEquals(Kind.WRONG_MODEL, told(asked).kind());
    assertEquals(0, host.script.count(PortCall.ENCODE));
  }

  @Test
  void manyAreAllAnsweredAndFewAreWorkedOnAtATime() {
    AtomicInteger now = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    host.script.onVisit(
        call -> {
          if (call == PortCall.ENCODE) {
            most.accumulateAndGet(now.incrementAndGet(), Math::max);
            host.registry.status(); // takes a moment
            now.decrementAndGet();
          }
        });
    List<Generation> all = new ArrayList<>();
    for (int i = 0; i < 90; i++) {
      all.add(host.ask(text("agent-" + i % 30, "turn " + i).build()));
    }
    all.forEach(each -> assertEquals(3, each.await(Duration.ofSeconds(20)).tokens().size()));
    assertTrue(most.get() <= PromptTokenizer.MOST_AT_A_TIME, () -> most + " at a time");
    assertEquals(0, now.get());
  }
}
