package dev.semantic.simulation;

import static dev.semantic.scripted.ScriptedHost.assertSays;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.DrainPolicy;
import dev.semantic.generate.FinishReason;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.kv.AgentId;
import dev.semantic.registry.Simulated;
import dev.semantic.registry.SwapOptions;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.ScriptedHost;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Requests that may take only so long, wherever they are when it has passed; in virtual time. */
class TimeLimitTest {
  private static final Duration STEP = Duration.ofMillis(10);
  private static final Duration LIMIT = Duration.ofMillis(205);

  private final SimulatedTimeline time = new SimulatedTimeline(1, 10);
  private final ScriptedHost host =
      new ScriptedHost(ScriptedHost.TIGHT, builder -> Simulated.in(time, builder));

  @BeforeEach
  void serve() {
    host.registry.load(Geometry.ALPHA.id());
  }

  @AfterEach
  void close() {
    host.close();
    time.pause(Duration.ofMinutes(1));
    assertEquals(List.of(), time.living());
  }

  private void takes(PortCall slow, Duration each) {
    host.script.onVisit(
        call -> {
          if (call == slow) {
            time.pause(each);
          }
        });
  }

  private Generation ask(int answer, Duration limit) {
    return host.ask(
        GenerationRequest.of(new Prompt.Tokens(tokens(9, 1)))
            .agent(new AgentId("ada"))
            .maxTokens(answer)
            .ignoreEos(true)
            .timeLimit(limit)
            .build());
  }

  private GenerationResult await(Generation generation) {
    while (!generation.isDone()) {
      time.pause(Duration.ofMillis(1));
    }
    return generation.await();
  }

  @Test
  void itEndsAnAnswerWithWhatThereIs() {
    takes(PortCall.FORWARD, STEP);
    GenerationResult answer = await(ask(1900, LIMIT));
    assertEquals(FinishReason.TIME_LIMIT, answer.reason());
    assertEquals(21, answer.tokens().size(), "the step under way ends");
    assertEquals(8, await(ask(2, LIMIT)).cachedTokens(), "she keeps what was computed");
  }

  @Test
  void itEndsAPromptThatIsStillComputed() {
    takes(PortCall.FORWARD, LIMIT.plus(STEP));
    Generation generation =
        host.ask(
            GenerationRequest.of(new Prompt.Tokens(tokens(900, 1)))
                .prefillChunk(100)
                .timeLimit(LIMIT)
                .build());
    GenerationResult answer = await(generation);
    assertEquals(FinishReason.TIME_LIMIT, answer.reason());
    assertEquals(List.of(), answer.tokens());
    assertEquals(100, host.runtime.computedTokens());
  }

  @Test
  void whoHasNotBeenBegunByThenFails() {
    takes(PortCall.FORWARD, STEP);
    Generation before = ask(100, Duration.ofHours(1));
    Generation late = ask(5, LIMIT); // the same agent's: it waits
    assertSays("Not begun", assertThrows(RequestException.class, () -> await(late)));
    assertEquals(100, await(before).tokens().size());
  }

  @Test
  void itEndsTheWaitForACacheThatIsBeingRead() {
    takes(PortCall.STORE_LOAD, Duration.ofHours(1));
    long before = time.nanoTime();
    Generation ada = ask(5, LIMIT);
    assertSays("Out of time", assertThrows(RequestException.class, () -> await(ada)));
    assertTrue(time.nanoTime() - before < STEP.plus(LIMIT).toNanos(), "it waited for the disk");
    time.pause(Duration.ofHours(2));
  }

  @Test
  void itEndsOneThatWaitsForItsModel() throws Exception {
    takes(PortCall.FORWARD, STEP);
    Generation ada = ask(1900, LIMIT);
    time.pause(LIMIT.dividedBy(2));
    host.registry.swapWithRollback(
        Geometry.BETA.id(),
        SwapOptions.builder()
            .drainPolicy(DrainPolicy.PREEMPT)
            .returnWithin(Duration.ofHours(1))
            .build());
    GenerationResult answer = await(ada);
    assertEquals(FinishReason.TIME_LIMIT, answer.reason());
    assertTrue(!answer.tokens().isEmpty() && answer.tokens().size() < 21);
  }

  @Test
  void whoWasPreemptedAndIsOnItsWayBackGivesTheAnswerThatItHas() throws Exception {
    takes(PortCall.FORWARD, STEP);
    Generation ada = ask(1900, Duration.ofSeconds(1));
    time.pause(LIMIT);
    SwapOptions options =
        SwapOptions.builder()
            .drainPolicy(DrainPolicy.PREEMPT)
            .returnWithin(Duration.ofHours(1))
            .phaseTimeout(Duration.ofSeconds(2))
            .build();
    host.registry.swapWithRollback(Geometry.BETA.id(), options);
    takes(PortCall.STORE_LOAD, Duration.ofHours(1));
    host.registry.swapWithRollback(Geometry.ALPHA.id(), options);
    GenerationResult answer = await(ada);
    assertEquals(FinishReason.TIME_LIMIT, answer.reason());
    assertTrue(!answer.tokens().isEmpty());
    time.pause(Duration.ofHours(2));
  }

  @Test
  void whoIsQuickEnoughDoesNotNotice() {
    takes(PortCall.FORWARD, STEP);
    assertEquals(FinishReason.MAX_TOKENS, await(ask(20, LIMIT)).reason());
  }
}
