package dev.semantic.engine;

import static dev.semantic.scripted.ScriptedHouse.PATIENCE;
import static dev.semantic.scripted.ScriptedHouse.assertSays;
import static dev.semantic.scripted.ScriptedHouse.request;
import static dev.semantic.scripted.ScriptedHouse.said;
import static dev.semantic.scripted.ScriptedHouse.tokens;
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
import dev.semantic.scripted.ScriptedHouse;
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
  @RegisterExtension final ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA);

  @Test
  void anAgentGoesOnWhereItStopped() {
    int[] prompt = tokens(100, 1);
    int[] said = said(prompt, house.ask("ada", prompt));
    int[] next = append(said, tokens(10, 2));
    long before = house.runtime.computedTokens();
    GenerationResult result = house.ask(request("ada", 1, next)).await(PATIENCE);
    assertEquals(said.length - 1, result.cachedTokens());
    assertEquals(11, house.runtime.computedTokens() - before, "computed more than was new");
  }

  @Test
  void theSamePromptAgainComputesOneToken() {
    int[] prompt = tokens(100, 1);
    house.ask("ada", prompt);
    assertEquals(99, house.ask("ada", prompt).cachedTokens());
  }

  @Test
  void anEditedPromptReusesWhatIsBeforeTheEdit() {
    int[] prompt = tokens(100, 1);
    house.ask("ada", prompt);
    int[] edited = prompt.clone();
    edited[60]++;
    assertEquals(60, house.ask("ada", edited).cachedTokens());
  }

  @Test
  void aSlidingWindowThatCannotForgetStartsAnew() throws Exception {
    house.registry.swapWithRollback(Geometry.GAMMA.id());
    int[] prompt = tokens(100, 1);
    house.ask("ada", prompt);
    int[] edited = prompt.clone();
    edited[60]++;
    assertEquals(0, house.ask("ada", edited).cachedTokens());
    int[] said = said(edited, house.ask("ada", edited));
    assertEquals(said.length - 1, house.ask("ada", said).cachedTokens());
  }

  @Test
  void nobodysRequestsRememberNothing() {
    int[] prompt = tokens(100, 1);
    var request = GenerationRequest.of(new Prompt.Tokens(prompt)).maxTokens(3).build();
    house.ask(request).await(PATIENCE);
    assertEquals(0, house.ask(request).await(PATIENCE).cachedTokens());
    assertEquals(8, house.registry.pool().availableBlocks());
  }

  /** Where two end in one step, the scheduler puts them away one after the other. */
  @Test
  void whoHasAnAnswerIsNotUnderWay() throws Exception {
    List<Integer> underWay = new ArrayList<>();
    for (int longer = 1; longer <= 5; longer++) {
      Script.Hold step = house.script.hold(PortCall.FORWARD);
      Generation first = house.ask(nobodys(longer, tokens(9, 1)));
      step.awaitReached();
      Generation second = house.ask(nobodys(1, tokens(9, 2)));
      List<Integer> closing = Collections.synchronizedList(new ArrayList<>());
      house.script.onVisit(
          call -> {
            if (call == PortCall.FORWARD) {
              closing.clear();
            } else if (call == PortCall.SEQUENCE_CLOSE) {
              closing.add(house.registry.status().running());
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
    Script.Hold hold = house.script.hold(PortCall.FORWARD);
    Generation first = house.ask(request("first", 1, tokens(5, 1)));
    hold.awaitReached();
    Generation slow =
        house.ask(
            GenerationRequest.of(new Prompt.Tokens(tokens(1500, 2)))
                .maxTokens(1)
                .prefillChunk(50)
                .build());
    Generation quick =
        house.ask(GenerationRequest.of(new Prompt.Tokens(tokens(5, 3))).maxTokens(1).build());
    hold.release();
    first.await(PATIENCE);
    var slowTime = slow.await(PATIENCE).timeToFirstToken();
    var quickTime = quick.await(PATIENCE).timeToFirstToken();
    assertTrue(quickTime.compareTo(slowTime) < 0, quickTime + " against " + slowTime);
    assertEquals(50, house.runtime.largestForward(), "a chunk was larger than asked for");
  }

  @Test
  void theMostUrgentIsAnsweredFirst() throws Exception {
    Script.Hold hold = house.script.hold(PortCall.FORWARD);
    Generation first = house.ask(request("first", 1, tokens(5, 1)));
    hold.awaitReached();
    List<Generation> others = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      others.add(house.ask(anybodys(0)));
    }
    Generation urgent = house.ask(anybodys(1));
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
    Script.Hold hold = house.script.hold(PortCall.FORWARD);
    Generation first = house.ask(request("first", 1, tokens(5, 1)));
    hold.awaitReached();
    Generation early = house.ask(urgent("ada", 0));
    Generation late = house.ask(urgent("ada", 9));
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
      all.add(house.ask(request("ada", 2, prompt)));
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
    Generation generation = house.ask(request);
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
    Generation generation = house.ask(request);
    assertEquals(whole, shown(generation));
    assertEquals(whole, generation.await().text());
  }

  @Test
  void theEndTokenEndsAnAnswerAndIsNoText() {
    int seed = 0;
    while (Geometry.ALPHA.answer(tokens(9, seed), 50).size() > 40) {
      seed++;
    }
    GenerationResult result = house.ask(request("ada", 50, tokens(9, seed))).await(PATIENCE);
    assertEquals(FinishReason.END_TOKEN, result.reason());
    assertEquals(result.tokens().size() - 1, result.text().length());
  }

  @Test
  void theColdestAgentMakesRoomAndForgetsNothing() {
    int[] first = said(tokens(900, 1), house.ask("first", tokens(900, 1)));
    int[] second = said(tokens(900, 2), house.ask("second", tokens(900, 2)));
    assertEquals(0, house.registry.pool().availableBlocks());
    house.ask("third", tokens(300, 3));
    assertEquals(2, house.registry.pool().availableBlocks(), "first was to leave, and only first");
    int loads = house.script.count(PortCall.STORE_LOAD);
    assertEquals(second.length - 1, house.ask("second", second).cachedTokens());
    assertEquals(loads, house.script.count(PortCall.STORE_LOAD), "second had to leave, too");
    assertEquals(first.length - 1, house.ask("first", first).cachedTokens());
  }

  @Test
  void anAgentThatCannotBeParkedStaysWhileAnotherCanLeave() {
    int[] first = said(tokens(900, 1), house.ask("first", tokens(900, 1)));
    int[] second = said(tokens(900, 2), house.ask("second", tokens(900, 2)));
    house.script.fail(PortCall.STORE_PARK, 1, Fault.DECLARED);
    house.ask("third", tokens(300, 3));
    int loads = house.script.count(PortCall.STORE_LOAD);
    assertEquals(first.length - 1, house.ask("first", first).cachedTokens());
    assertEquals(loads, house.script.count(PortCall.STORE_LOAD), "first had to leave");
    assertEquals(second.length - 1, house.ask("second", second).cachedTokens());
  }

  @Test
  void whereNobodyCanBeParkedTheColdestLeavesAllTheSame() {
    int[] first = said(tokens(900, 1), house.ask("first", tokens(900, 1)));
    int[] second = said(tokens(900, 2), house.ask("second", tokens(900, 2)));
    house.script.failForGood(PortCall.STORE_PARK, 1, Fault.DECLARED);
    assertEquals(5, house.ask("third", tokens(300, 3)).tokens().size());
    assertEquals(second.length - 1, house.ask("second", second).cachedTokens());
    house.script.heal();
    assertEquals(0, house.ask("first", first).cachedTokens());
  }

  @Test
  void whoFindsNoRoomWaitsForOthersToEnd() {
    List<Generation> all = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      all.add(house.ask(request("agent " + i, 200, tokens(1000, i)))); // 4 or 5 of 8 blocks each
    }
    all.forEach(generation -> generation.await(PATIENCE));
  }

  @Test
  void whatCanNeverFitIsRefusedAndCostsNobodyTheirMemory() {
    int[] said = said(tokens(300, 1), house.ask("ada", tokens(300, 1)));
    int[] bob = said(tokens(300, 2), house.ask("bob", tokens(300, 2)));
    int[] tooLong = append(said, tokens(2000, 2));
    var refused = assertThrows(RequestException.class, () -> house.ask("ada", tooLong));
    assertSays("KV pool", refused);
    assertTrue(house.ask("ada", said).cachedTokens() >= said.length - 1);
    assertEquals(bob.length - 1, house.ask("bob", bob).cachedTokens());
  }

  @ParameterizedTest
  @EnumSource(Fault.class)
  void aFailedStepCostsItsRequestsAndNoOthers(Fault fault) {
    int[] said = said(tokens(30, 1), house.ask("ada", tokens(30, 1)));
    for (PortCall call :
        List.of(PortCall.FORWARD, PortCall.STREAM_NEXT, PortCall.STREAM_REST, PortCall.OPEN)) {
      house.script.fail(call, 1, fault);
      Generation unlucky = house.ask(request("bob", 3, tokens(20, 2)));
      var failure = assertThrows(RequestException.class, () -> unlucky.await(PATIENCE));
      assertTrue(house.script.fired(), call + " was not called");
      assertSays("scripted: " + call, failure);
      house.script.heal();
      assertEquals(said.length - 1, house.ask("ada", said).cachedTokens(), call + " cost ada");
    }
  }

  @ParameterizedTest
  @EnumSource(Fault.class)
  void aCacheThatCannotBeReadIsComputedAgain(Fault fault) {
    house.script.fail(PortCall.STORE_LOAD, 1, fault);
    var answer = house.ask("bob", tokens(20, 2));
    assertTrue(house.script.fired());
    assertEquals(0, answer.cachedTokens());
    assertEquals(house.ask("eve", tokens(20, 2)).tokens(), answer.tokens());
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
    var failure = assertThrows(RequestException.class, () -> house.ask(request).await(PATIENCE));
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
    Generation generation = house.ask(request);
    generation.events().next();
    generation.cancel();
    GenerationResult result = generation.await(PATIENCE);
    assertTrue(
        result.reason() == FinishReason.CANCELLED || result.tokens().size() == 1900,
        result.reason() + " after " + result.tokens().size());
    assertEquals(8, house.ask("ada", tokens(9, 1)).cachedTokens());
  }

  @Test
  void textIsMadeOfTheModelsOwnTokens() {
    var request = GenerationRequest.of(new Prompt.Text("hello")).maxTokens(3).build();
    assertEquals(5, house.ask(request).await(PATIENCE).promptTokens());
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
        case GenerationEvent.Token(int id, String more) -> text.append(more);
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
