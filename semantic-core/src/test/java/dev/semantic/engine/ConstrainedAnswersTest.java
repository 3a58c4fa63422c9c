package dev.semantic.engine;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.assertSays;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.ChatMessage;
import dev.semantic.generate.Constraint;
import dev.semantic.generate.DrainPolicy;
import dev.semantic.generate.EngineMode;
import dev.semantic.generate.FinishReason;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationEvent;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.LogProbs;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.generate.Sampling;
import dev.semantic.generate.Tool;
import dev.semantic.generate.ToolCall;
import dev.semantic.generate.ToolChoice;
import dev.semantic.kv.AgentId;
import dev.semantic.model.ModelException;
import dev.semantic.registry.SwapOptions;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.swap.ModelSwapException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Answers that must look like something, with others that need not beside them. */
@Timeout(60)
class ConstrainedAnswersTest {
  private static final String PATTERN = "<call name=\"(ada|bob)\">[0-9]{3,5}</call>";

  @RegisterExtension final ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA);

  @AfterEach
  void noMatcherIsLeft() {
    host.registry.close();
    await().atMost(PATIENCE).until(() -> host.script.openMatchers() == 0);
  }

  private static GenerationRequest.Builder constrained(String pattern, int... prompt) {
    return GenerationRequest.of(new Prompt.Tokens(prompt))
        .constraint(new Constraint.Regex(pattern));
  }

  private GenerationResult answer(GenerationRequest.Builder request) {
    return host.registry.generate(request.build()).await(PATIENCE);
  }

  private static Tool tool(String name, String more) {
    return Tool.of(
        name,
        "does something",
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}%s}".formatted(more));
  }

  private GenerationRequest.Builder toCall(ToolChoice choice, int seed, Tool... tools) {
    Prompt.Chat chat =
        new Prompt.Chat(List.of(ChatMessage.user("do it"))).withTools(List.of(tools));
    return GenerationRequest.of(chat.withChoice(choice))
        .maxTokens(900)
        .sampling(Sampling.GREEDY.withTemperature(2).withSeed(seed));
  }

  @Test
  void aModelThatMustCallsAndSaysNothingElse() {
    for (int seed = 0; seed < 10; seed++) {
      GenerationResult answer =
          answer(toCall(ToolChoice.REQUIRED, seed, tool("ada", ""), tool("bob", "")));
      assertFalse(answer.message().toolCalls().isEmpty(), answer.text());
      assertEquals("", answer.message().content().strip());
      assertEquals(FinishReason.END_TOKEN, answer.reason());
    }
  }

  @Test
  void aModelThatMustCallOneByNameCallsThatOnce() {
    for (int seed = 0; seed < 10; seed++) {
      GenerationResult answer =
          answer(toCall(ToolChoice.named("bob"), seed, tool("ada", ""), tool("bob", "")));
      assertEquals(
          List.of("bob"), answer.message().toolCalls().stream().map(ToolCall::name).toList());
    }
  }

  @Test
  void aSchemaThatCannotBeEnforcedIsRefusedByToolAndKeywordWhereItMustBe() {
    Tool never = tool("ada", ",\"not\":{}");
    RequestException refused =
        assertThrows(RequestException.class, () -> answer(toCall(ToolChoice.REQUIRED, 1, never)));
    assertEquals(RequestException.Kind.INVALID, refused.kind());
    assertSays("ada", refused);
    assertSays("#/not", refused);
    answer(toCall(ToolChoice.AUTO, 1, never).maxTokens(3)); // which enforces nothing
  }

  @Test
  void aCallThatIsRequiredAndAnotherConstraintExcludeEachOther() {
    GenerationRequest.Builder both =
        toCall(ToolChoice.REQUIRED, 1, tool("ada", "")).constraint(new Constraint.AnyJson());
    assertThrows(IllegalArgumentException.class, both::build);
    both = toCall(ToolChoice.AUTO, 1, tool("ada", "")).constraint(new Constraint.Regex("yes|no"));
    assertTrue(answer(both).text().matches("yes|no"));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 1.5, 20})
  void theAnswerMatchesWhateverTheModelWouldSay(double temperature) {
    for (int seed = 0; seed < 10; seed++) {
      GenerationResult answer =
          answer(
              constrained(PATTERN, tokens(9, seed))
                  .sampling(Sampling.GREEDY.withTemperature(temperature).withSeed(seed)));
      assertTrue(answer.text().matches(PATTERN), answer.text());
      assertEquals(FinishReason.END_TOKEN, answer.reason());
    }
  }

  @Test
  void whatAllowsEverythingChangesNothing() {
    int[] prompt = tokens(9, 1);
    GenerationRequest free = GenerationRequest.of(new Prompt.Tokens(prompt)).maxTokens(60).build();
    GenerationResult expected = host.registry.generate(free).await(PATIENCE);
    assertEquals(expected.tokens(), answer(constrained(".*", prompt).maxTokens(60)).tokens());
  }

  @Test
  void forcedTokensAreComputedTogether() {
    int before = host.script.count(PortCall.FORWARD);
    GenerationResult answer = answer(constrained("0123456789abcdef", tokens(9, 1)));
    assertEquals("0123456789abcdef", answer.text());
    int passes = host.script.count(PortCall.FORWARD) - before;
    assertTrue(passes <= 4, passes + " passes for a prompt and 16 forced tokens");
    assertEquals(17, answer.tokens().size());
  }

  @Test
  void theSameSeedDrawsTheSameWhateverIsForced() {
    Sampling hot = Sampling.GREEDY.withTemperature(30).withSeed(7);
    String drawn = answer(constrained("[a-z]{8}", tokens(9, 1)).sampling(hot)).text();
    String between = answer(constrained("[a-z]{4}----[a-z]{4}", tokens(9, 1)).sampling(hot)).text();
    assertEquals(
        drawn.substring(0, 4), between.substring(0, 4)); // same logits, nothing drawn since
  }

  @Test
  void oneWhoseMaskIsNotReadyHoldsNobodyUp() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    CountDownLatch asked = new CountDownLatch(1);
    whileItIsAnswered(
        () -> {
          asked.countDown();
          awaitQuietly(release);
        });
    Generation slow = host.registry.generate(constrained("[a-z]{5}", tokens(9, 1)).build());
    assertTrue(asked.await(4, TimeUnit.SECONDS));
    GenerationResult other = host.ask("ada", tokens(9, 2)); // from beginning to end
    assertEquals(5, other.tokens().size());
    assertFalse(slow.isDone());
    release.countDown();
    assertEquals(5, slow.await(PATIENCE).text().length());
  }

  @Test
  void oneThatWaitsForItsMaskIsCancelledAtOnce() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    CountDownLatch asked = new CountDownLatch(1);
    whileItIsAnswered(
        () -> {
          asked.countDown();
          awaitQuietly(release);
        });
    Generation first = host.registry.generate(constrained("[a-z]{5}", tokens(9, 1)).build());
    Generation second =
        host.registry.generate(
            constrained("[a-z]{5}", tokens(9, 2)).timeLimit(Duration.ofMillis(300)).build());
    assertTrue(asked.await(4, TimeUnit.SECONDS));
    first.cancel();
    assertEquals(FinishReason.CANCELLED, first.await(PATIENCE).reason());
    assertEquals(FinishReason.TIME_LIMIT, second.await(PATIENCE).reason());
    release.countDown();
  }

  @Test
  void whatFailsEndsItsRequestAndNoOther() {
    whileItIsAnswered(
        () -> {
          throw new ModelException(ModelException.Kind.FAILED, "the matcher is out of order");
        });
    Generation failing = host.registry.generate(constrained("[a-z]{5}", tokens(9, 1)).build());
    Generation other = host.ask(ScriptedHost.request("ada", 20, tokens(9, 2)));
    RequestException told = assertThrows(RequestException.class, () -> failing.await(PATIENCE));
    assertSays("the matcher is out of order", told);
    assertEquals(RequestException.Kind.FAILED, told.kind());
    assertFalse(other.await(PATIENCE).tokens().isEmpty());
  }

  @Test
  void aConstraintThatMakesNoSenseIsRefusedBeforeAnythingIsComputed() {
    int before = host.script.count(PortCall.FORWARD);
    RequestException told =
        assertThrows(RequestException.class, () -> answer(constrained("[a-z", tokens(9, 1))));
    assertEquals(RequestException.Kind.INVALID, told.kind());
    RequestException other =
        assertThrows(
            RequestException.class,
            () ->
                answer(
                    GenerationRequest.of(new Prompt.Tokens(tokens(9, 1)))
                        .constraint(new Constraint.AnyJson())));
    assertSays("Regular expressions only", other);
    assertEquals(before, host.script.count(PortCall.FORWARD));
  }

  @Test
  void aStopStringEndsItWithinForcedText() {
    GenerationResult answer = answer(constrained("0123456789abcdef", tokens(9, 1)).stop("6789"));
    assertEquals("012345", answer.text());
    assertEquals(FinishReason.STOP_STRING, answer.reason());
  }

  @Test
  void theMostTokensCutForcedTextToo() {
    GenerationResult answer = answer(constrained("0123456789abcdef", tokens(9, 1)).maxTokens(5));
    assertEquals("01234", answer.text());
    assertEquals(FinishReason.MAX_TOKENS, answer.reason());
  }

  @Test
  void manyAtOnceWithOthersThatAreFree() {
    List<Generation> bound = new ArrayList<>();
    List<Generation> free = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      bound.add(
          host.registry.generate(
              constrained(PATTERN, tokens(9, i))
                  .sampling(Sampling.GREEDY.withTemperature(9).withSeed(i))
                  .build()));
      free.add(host.ask(ScriptedHost.request("agent-" + i, 30, tokens(20, i))));
    }
    for (Generation each : bound) {
      String text = each.await(PATIENCE).text();
      assertTrue(text.matches(PATTERN), text);
    }
    free.forEach(each -> assertFalse(each.await(PATIENCE).tokens().isEmpty()));
  }

  @Test
  void oneThatIsPreemptedGoesOnWhereItWas() throws Exception {
    String pattern = "[a-f]{40}-----[0-9]{40}";
    Script.Hold hold = host.script.hold(PortCall.FORWARD, 30);
    Generation asked =
        host.registry.generate(
            constrained(pattern, tokens(9, 1))
                .agent(new AgentId("ada"))
                .sampling(Sampling.GREEDY.withTemperature(30).withSeed(3))
                .build());
    hold.awaitReached();
    CompletableFuture<Void> away = CompletableFuture.runAsync(this::preempt);
    await().atMost(PATIENCE).until(() -> host.registry.status().engine() == EngineMode.DRAINING);
    hold.release();
    away.get(4, TimeUnit.SECONDS);
    assertFalse(asked.isDone());
    host.registry.swapWithRollback(Geometry.ALPHA.id());
    GenerationResult answer = asked.await(PATIENCE);
    assertTrue(answer.text().matches(pattern), answer.text());
  }

  @Test
  void noEndTokenIsDrawnBeforeTheFewestTokens() {
    for (int seed = 0; seed < 40; seed++) {
      GenerationRequest.Builder request =
          GenerationRequest.of(new Prompt.Tokens(tokens(9, seed))).maxTokens(60).minTokens(60);
      GenerationResult answer = answer(request);
      assertEquals(60, answer.tokens().size());
      assertEquals(FinishReason.MAX_TOKENS, answer.reason());
    }
    GenerationResult done = answer(constrained("abc", tokens(9, 1)).minTokens(50));
    assertEquals("abc", done.text());
    assertThrows(
        IllegalArgumentException.class,
        () -> constrained("a", 20).maxTokens(2).minTokens(3).build());
  }

  @Test
  void howLikelyEachTokenWasIsToldWhereItIsAsked() {
    Generation asked =
        host.registry.generate(constrained("[a-z]{3}---[a-z]", tokens(9, 1)).logProbs(2).build());
    asked.await(PATIENCE);
    List<LogProbs> told = new ArrayList<>();
    asked
        .events()
        .forEachRemaining(
            event -> {
              if (event instanceof GenerationEvent.Token token) {
                told.add(token.logProbs().orElseThrow());
              }
            });
    assertEquals(8, told.size());
    assertEquals(2, told.getFirst().top().size());
    assertTrue(told.getFirst().logProb() <= 0);
    assertEquals(0, told.get(3).logProb()); // forced
  }

  @Test
  void aBiasForATokenThatThereIsNotIsRefused() {
    GenerationRequest.Builder request =
        GenerationRequest.of(new Prompt.Tokens(tokens(9, 1)))
            .sampling(Sampling.GREEDY.withLogitBias(Map.of(1_000_000, 1.0)));
    RequestException told = assertThrows(RequestException.class, () -> answer(request));
    assertEquals(RequestException.Kind.INVALID, told.kind());
    assertSays("1000000", told);
  }

  private void preempt() {
    SwapOptions options =
        SwapOptions.builder()
            .drainPolicy(DrainPolicy.PREEMPT)
            .returnWithin(Duration.ofMinutes(1))
            .build();
    try {
      host.registry.swapWithRollback(Geometry.BETA.id(), options);
    } catch (ModelSwapException e) {
      throw new CompletionException(e);
    }
  }

  @Test
  void aConstraintEndsWhereItEnds() {
    assertThrows(
        IllegalArgumentException.class, () -> constrained("a", 20).ignoreEos(true).build());
  }

  /** Done when it is asked what may come next, but not where it is only seen to make sense. */
  private void whileItIsAnswered(Runnable task) {
    host.script.onMatching(
        () -> {
          if (Thread.currentThread().getName().startsWith("semantic-constrain")) {
            task.run();
          }
        });
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await(20, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
