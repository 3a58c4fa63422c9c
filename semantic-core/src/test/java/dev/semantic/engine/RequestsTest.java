package dev.semantic.engine;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.assertSays;
import static dev.semantic.scripted.ScriptedHost.request;
import static dev.semantic.scripted.ScriptedHost.said;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.FinishReason;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationEvent;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.kv.AgentId;
import dev.semantic.scripted.Fault;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHost;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Requests, answers and what agents remember, while one model serves. */
class RequestsTest {
  @RegisterExtension final ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA);

  @Test
  void anAgentGoesOnWhereItStopped() {
    int[] prompt = tokens(100, 1);
    int[] said = said(prompt, host.ask("ada", prompt));
    int[] next = append(said, tokens(10, 2));
    long before = host.runtime.computedTokens();
    GenerationResult result = host.ask(request("ada", 1, next)).await(PATIENCE);
    assertEquals(said.length - 1, result.cachedTokens());
    assertEquals(11, host.runtime.computedTokens() - before, "computed more than was new");
  }

  @Test
  void theSamePromptAgainComputesOneToken() {
    int[] prompt = tokens(100, 1);
    host.ask("ada", prompt);
    assertEquals(99, host.ask("ada", prompt).cachedTokens());
  }

  @Test
  void anEditedPromptReusesWhatIsBeforeTheEdit() {
    int[] prompt = tokens(100, 1);
    host.ask("ada", prompt);
    int[] edited = prompt.clone();
    edited[60]++;
    assertEquals(60, host.ask("ada", edited).cachedTokens());
  }

  @Test
  void aSlidingWindowThatCannotForgetStartsAnew() throws Exception {
    host.registry.swapWithRollback(Geometry.GAMMA.id());
    int[] prompt = tokens(100, 1);
    host.ask("ada", prompt);
    int[] edited = prompt.clone();
    edited[60]++;
    assertEquals(0, host.ask("ada", edited).cachedTokens());
    int[] said = said(edited, host.ask("ada", edited));
    assertEquals(said.length - 1, host.ask("ada", said).cachedTokens());
  }

  @Test
  void nobodysRequestsRememberNothing() {
    int[] prompt = tokens(100, 1);
    var request = GenerationRequest.of(new Prompt.Tokens(prompt)).maxTokens(3).build();
    host.ask(request).await(PATIENCE);
    assertEquals(0, host.ask(request).await(PATIENCE).cachedTokens());
    assertEquals(8, host.registry.pool().availableBlocks());
  }

  /** Where two end in one step, the scheduler puts them away one after the other. */
  @Test
  void whoHasAnAnswerIsNotUnderWay() throws Exception {
    List<Integer> underWay = new ArrayList<>();
    for (int longer = 1; longer <= 5; longer++) {
      Script.Hold step = host.script.hold(PortCall.FORWARD);
      Generation first = host.ask(nobodys(longer, tokens(9, 1)));
      step.awaitReached();
      Generation second = host.ask(nobodys(1, tokens(9, 2)));
      List<Integer> closing = Collections.synchronizedList(new ArrayList<>());
      host.script.onVisit(
          call -> {
            if (call == PortCall.FORWARD) {
              closing.clear();
            } else if (call == PortCall.SEQUENCE_CLOSE) {
              closing.add(host.registry.status().running());
            }
          });
      step.release();
      first.await(PATIENCE);
      second.await(PATIENCE);
      if (closing.size() == 2) {
        underWay.add(closing.getLast());
      }
    }
    assertEquals(List.of(1), underWay);
  }

  private static GenerationRequest nobodys(int answer, int[] prompt) {
    return GenerationRequest.of(new Prompt.Tokens(prompt))
        .maxTokens(answer)
        .ignoreEos(true)
        .build();
  }

  @Test
  void aLongPromptDoesNotHoldUpAShortOne() throws Exception {
    Script.Hold hold = host.script.hold(PortCall.FORWARD);
    Generation first = host.ask(request("first", 1, tokens(5, 1)));
    hold.awaitReached();
    Generation slow =
        host.ask(
            GenerationRequest.of(new Prompt.Tokens(tokens(1500, 2)))
                .maxTokens(1)
                .prefillChunk(50)
                .build());
    Generation quick =
        host.ask(GenerationRequest.of(new Prompt.Tokens(tokens(5, 3))).maxTokens(1).build());
    hold.release();
    first.await(PATIENCE);
    var slowTime = slow.await(PATIENCE).timeToFirstToken();
    var quickTime = quick.await(PATIENCE).timeToFirstToken();
    assertTrue(quickTime.compareTo(slowTime) < 0, quickTime + " against " + slowTime);
    assertEquals(50, host.runtime.largestForward(), "a chunk was larger than asked for");
  }

  @Test
  void theMostUrgentIsAnsweredFirst() throws Exception {
    Script.Hold hold = host.script.hold(PortCall.FORWARD);
    Generation first = host.ask(request("first", 1, tokens(5, 1)));
    hold.awaitReached();
    List<Generation> others = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      others.add(host.ask(anybodys(0)));
    }
    Generation urgent = host.ask(anybodys(1));
    hold.release();
    first.await(PATIENCE);
    var soon = urgent.await(PATIENCE).timeToFirstToken();
    for (Generation other : others) {
      var later = other.await(PATIENCE).timeToFirstToken();
      assertTrue(soon.compareTo(later) < 0, () -> soon + " against " + later);
    }
  }

  @Test
  void noAgentOvertakesItself() throws Exception {
    Script.Hold hold = host.script.hold(PortCall.FORWARD);
    Generation first = host.ask(request("first", 1, tokens(5, 1)));
    hold.awaitReached();
    Generation early = host.ask(urgent("ada", 0));
    Generation late = host.ask(urgent("ada", 9));
    hold.release();
    first.await(PATIENCE);
    assertEquals(0, early.await(PATIENCE).cachedTokens());
    assertEquals(19, late.await(PATIENCE).cachedTokens());
  }

  /** For which nothing is parked that could come sooner or later than what others wait for. */
  private static GenerationRequest anybodys(int priority) {
    return GenerationRequest.of(new Prompt.Tokens(tokens(20, 2)))
        .maxTokens(1)
        .priority(priority)
        .build();
  }

  private static GenerationRequest urgent(String agent, int priority) {
    return GenerationRequest.of(new Prompt.Tokens(tokens(20, 2)))
        .agent(new AgentId(agent))
        .maxTokens(1)
        .priority(priority)
        .build();
  }

  @Test
  void requestsOfOneAgentComeOneAfterTheOther() {
    int[] prompt = tokens(50, 1);
    List<Generation> all = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      all.add(host.ask(request("ada", 2, prompt)));
    }
    all.forEach(generation -> generation.await(PATIENCE));
    assertEquals(0, all.getFirst().await().cachedTokens());
    all.stream().skip(1).forEach(later -> assertEquals(49, later.await().cachedTokens()));
  }

  @Test
  void noPartOfAStopStringIsShown() {
    int[] prompt = tokens(20, 5);
    String whole = textOf(prompt, 40);
    String stop = whole.substring(7, 10);
    var request =
        GenerationRequest.of(new Prompt.Tokens(prompt))
            .maxTokens(40)
            .ignoreEos(true)
            .stop("never#", stop)
            .build();
    Generation generation = host.ask(request);
    String shown = shown(generation);
    assertEquals(whole.substring(0, whole.indexOf(stop)), shown);
    assertEquals(shown, generation.await().text());
    assertEquals(FinishReason.STOP_STRING, generation.await().reason());
  }

  @Test
  void whatWasHeldBackForAStopStringIsShownInTheEnd() {
    int[] prompt = tokens(20, 5);
    String whole = textOf(prompt, 12);
    String unfinished = whole.substring(whole.length() - 2) + "#";
    var request =
        GenerationRequest.of(new Prompt.Tokens(prompt))
            .maxTokens(12)
            .ignoreEos(true)
            .stop(unfinished)
            .build();
    Generation generation = host.ask(request);
    assertEquals(whole, shown(generation));
    assertEquals(whole, generation.await().text());
  }

  @Test
  void theEndTokenEndsAnAnswerAndIsNoText() {
    int seed = 0;
    while (Geometry.ALPHA.answer(tokens(9, seed), 50).size() > 40) {
      seed++;
    }
    GenerationResult result = host.ask(request("ada", 50, tokens(9, seed))).await(PATIENCE);
    assertEquals(FinishReason.END_TOKEN, result.reason());
    assertEquals(result.tokens().size() - 1, result.text().length());
  }

  @Test
  void theColdestAgentMakesRoomAndForgetsNothing() {
    int[] first = said(tokens(900, 1), host.ask("first", tokens(900, 1)));
    int[] second = said(tokens(900, 2), host.ask("second", tokens(900, 2)));
    assertEquals(0, host.registry.pool().availableBlocks());
    host.ask("third", tokens(300, 3));
    assertEquals(2, host.registry.pool().availableBlocks(), "first was to leave, and only first");
    int loads = host.script.count(PortCall.STORE_LOAD);
    assertEquals(second.length - 1, host.ask("second", second).cachedTokens());
    assertEquals(loads, host.script.count(PortCall.STORE_LOAD), "second had to leave, too");
    assertEquals(first.length - 1, host.ask("first", first).cachedTokens());
  }

  @Test
  void anAgentThatCannotBeParkedStaysWhileAnotherCanLeave() {
    int[] first = said(tokens(900, 1), host.ask("first", tokens(900, 1)));
    int[] second = said(tokens(900, 2), host.ask("second", tokens(900, 2)));
    host.script.fail(PortCall.STORE_PARK, 1, Fault.DECLARED);
    host.ask("third", tokens(300, 3));
    int loads = host.script.count(PortCall.STORE_LOAD);
    assertEquals(first.length - 1, host.ask("first", first).cachedTokens());
    assertEquals(loads, host.script.count(PortCall.STORE_LOAD), "first had to leave");
    assertEquals(second.length - 1, host.ask("second", second).cachedTokens());
  }

  @Test
  void whereNobodyCanBeParkedTheColdestLeavesAllTheSame() {
    int[] first = said(tokens(900, 1), host.ask("first", tokens(900, 1)));
    int[] second = said(tokens(900, 2), host.ask("second", tokens(900, 2)));
    host.script.failForGood(PortCall.STORE_PARK, 1, Fault.DECLARED);
    assertEquals(5, host.ask("third", tokens(300, 3)).tokens().size());
    assertEquals(second.length - 1, host.ask("second", second).cachedTokens());
    host.script.heal();
    assertEquals(0, host.ask("first", first).cachedTokens());
  }

  @Test
  void whoFindsNoRoomWaitsForOthersToEnd() {
    List<Generation> all = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      all.add(host.ask(request("agent " + i, 200, tokens(1000, i)))); // 4 or 5 of 8 blocks each
    }
    all.forEach(generation -> generation.await(PATIENCE));
  }

  @Test
  void whatCanNeverFitIsRefusedAndCostsNobodyTheirMemory() {
    int[] said = said(tokens(300, 1), host.ask("ada", tokens(300, 1)));
    int[] bob = said(tokens(300, 2), host.ask("bob", tokens(300, 2)));
    int[] tooLong = append(said, tokens(2000, 2));
    var refused = assertThrows(RequestException.class, () -> host.ask("ada", tooLong));
    assertSays("KV pool", refused);
    assertTrue(host.ask("ada", said).cachedTokens() >= said.length - 1);
    assertEquals(bob.length - 1, host.ask("bob", bob).cachedTokens());
  }

  @ParameterizedTest
  @EnumSource(Fault.class)
  void aFailedStepCostsItsRequestsAndNoOthers(Fault fault) {
    int[] said = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
    for (PortCall call :
        List.of(PortCall.FORWARD, PortCall.STREAM_NEXT, PortCall.STREAM_REST, PortCall.OPEN)) {
      host.script.fail(call, 1, fault);
      Generation unlucky = host.ask(request("bob", 3, tokens(20, 2)));
      var failure = assertThrows(RequestException.class, () -> unlucky.await(PATIENCE));
      assertTrue(host.script.fired(), call + " was not called");
      assertSays("scripted: " + call, failure);
      host.script.heal();
      assertEquals(said.length - 1, host.ask("ada", said).cachedTokens(), call + " cost ada");
    }
  }

  @ParameterizedTest
  @EnumSource(Fault.class)
  void aCacheThatCannotBeReadIsComputedAgain(Fault fault) {
    host.script.fail(PortCall.STORE_LOAD, 1, fault);
    var answer = host.ask("bob", tokens(20, 2));
    assertTrue(host.script.fired());
    assertEquals(0, answer.cachedTokens());
    assertEquals(host.ask("eve", tokens(20, 2)).tokens(), answer.tokens());
  }

  @Test
  void promptsThatCannotBeAreRefusedInWords() {
    refused(request("ada", 1, 5000), "Token 5000 is not in the vocabulary of alpha, 0 to 299");
    refused(request("ada", 1, -1), "Token -1 is not in the vocabulary");
    refused(request("ada", 1, tokens(4096, 1)), "The prompt has 4096 tokens; alpha holds 4096");
    refused(GenerationRequest.of(new Prompt.Text("")).build(), "The prompt has no tokens");
    refused(
        GenerationRequest.of(new Prompt.Text("x")).model(Geometry.BETA.id()).build(),
        "The request is meant for beta, but alpha serves");
  }

  private void refused(GenerationRequest request, String why) {
    var failure = assertThrows(RequestException.class, () -> host.ask(request).await(PATIENCE));
    assertSays(why, failure);
  }

  @Test
  void aCancelledAnswerEndsBeforeItsNextToken() {
    var request =
        GenerationRequest.of(new Prompt.Tokens(tokens(9, 1)))
            .agent(new AgentId("ada"))
            .maxTokens(1900)
            .ignoreEos(true)
            .build();
    Generation generation = host.ask(request);
    generation.events().next();
    generation.cancel();
    GenerationResult result = generation.await(PATIENCE);
    assertTrue(
        result.reason() == FinishReason.CANCELLED || result.tokens().size() == 1900,
        result.reason() + " after " + result.tokens().size());
    assertEquals(8, host.ask("ada", tokens(9, 1)).cachedTokens());
  }

  @Test
  void textIsMadeOfTheModelsOwnTokens() {
    var request = GenerationRequest.of(new Prompt.Text("hello")).maxTokens(3).build();
    assertEquals(5, host.ask(request).await(PATIENCE).promptTokens());
  }

  private static String textOf(int[] prompt, int count) {
    StringBuilder text = new StringBuilder();
    for (int token : Geometry.ALPHA.answer(prompt, count, true)) {
      text.append(token == 0 ? "<0>" : String.valueOf((char) (token - 2)));
    }
    return text.toString();
  }

  private static String shown(Generation generation) {
    StringBuilder text = new StringBuilder();
    for (Iterator<GenerationEvent> events = generation.events(); events.hasNext(); ) {
      switch (events.next()) {
        case GenerationEvent.Token(int id, String more, var logProbs) -> text.append(more);
        case GenerationEvent.Part part -> throw new AssertionError(part);
        case GenerationEvent.Finished(GenerationResult result) ->
            assertEquals(result, generation.await());
        case GenerationEvent.Failed(RequestException cause) -> throw cause;
      }
    }
    return text.toString();
  }

  private static int[] append(int[] one, int[] other) {
    int[] all = Arrays.copyOf(one, one.length + other.length);
    System.arraycopy(other, 0, all, one.length, other.length);
    return all;
  }
}
