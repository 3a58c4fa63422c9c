package dev.semantic.engine;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.request;
import static dev.semantic.scripted.ScriptedHost.said;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.FinishReason;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.scripted.Fault;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHost;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Agents whose prompts begin alike: what they have in common is computed and held once. */
class SharedPrefixTest {
  private static final int[] SYSTEM = tokens(600, 1);

  @RegisterExtension private final ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA);
  private int free;

  @BeforeEach
  void count() {
    free = host.registry.pool().availableBlocks();
  }

  private static int[] prompt(int agent) {
    int[] prompt = Arrays.copyOf(SYSTEM, 650);
    System.arraycopy(tokens(50, 50 + agent), 0, prompt, 600, 50);
    return prompt;
  }

  /** What an agent says to whom nothing is remembered. */
  private static List<Integer> alone(Geometry model, int[] prompt) throws Exception {
    try (ScriptedHost other = ScriptedHost.serving(model)) {
      return other.ask("alone", prompt).tokens();
    }
  }

  @Test
  void whoComesLaterComputesOnlyWhatIsNew() throws Exception {
    host.ask("ada", prompt(1));
    long before = host.runtime.computedTokens();
    GenerationResult bob = host.ask("bob", prompt(2));
    assertEquals(512, bob.cachedTokens());
    assertEquals(650 - 512 + 4, host.runtime.computedTokens() - before);
    assertEquals(alone(Geometry.ALPHA, prompt(2)), bob.tokens());
    assertEquals(3 + 1, free - host.registry.pool().availableBlocks(), "two blocks are shared");
  }

  @Test
  void whoComesAtTheSameTimeWaitsForTheOneThatComputesIt() throws Exception {
    Script.Hold hold = host.script.hold(PortCall.FORWARD);
    Generation first = host.ask(request("ada", 5, prompt(0)));
    hold.awaitReached();
    List<Generation> others =
        IntStream.range(1, 5).mapToObj(i -> host.ask(request("bob" + i, 5, prompt(i)))).toList();
    hold.release();
    List<Generation> all = new ArrayList<>(others);
    all.addFirst(first);
    for (int i = 0; i < 5; i++) {
      GenerationResult answer = all.get(i).await(PATIENCE);
      assertEquals(alone(Geometry.ALPHA, prompt(i)), answer.tokens());
      assertEquals(i == 0 ? 0 : 512, answer.cachedTokens());
    }
    assertEquals(650 + 4 * (650 - 512) + 5 * 4, host.runtime.computedTokens());
    assertEquals(3 + 4, free - host.registry.pool().availableBlocks());
  }

  @Test
  void oneOfThemMayLeaveAndTheOthersKeepIt() throws Exception {
    int[] ada = said(prompt(1), host.ask("ada", prompt(1)));
    int[] bob = said(prompt(2), host.ask("bob", prompt(2)));
    int other = tokens(1, 9)[0];
    int[] changed = ada.clone();
    changed[0] = changed[0] == other ? other + 1 : other;
    host.ask("ada", changed); // she starts anew, and lets go of what she shared
    assertEquals(bob.length - 1, host.ask("bob", bob).cachedTokens());
    assertEquals(alone(Geometry.ALPHA, bob), host.ask("eve", bob).tokens());
  }

  @Test
  void aRequestThatIsCancelledKeepsNobodyWaiting() throws Exception {
    Script.Hold hold = host.script.hold(PortCall.FORWARD);
    Generation first = host.ask(request("ada", 5, prompt(1)));
    hold.awaitReached();
    Generation second = host.ask(request("bob", 5, prompt(2)));
    first.cancel();
    hold.release();
    assertEquals(alone(Geometry.ALPHA, prompt(2)), second.await(PATIENCE).tokens());
  }

  @Test
  void anEditForksAtAWholeBlockOfAnotherIfThatIsMore() {
    host.ask("ada", prompt(1));
    int[] short1 = Arrays.copyOf(SYSTEM, 100);
    host.ask("bob", short1);
    assertEquals(512, host.ask("bob", prompt(2)).cachedTokens());
  }

  @Test
  void aWindowThatHasMovedOnIsNotShared() throws Exception {
    host.registry.swapWithRollback(Geometry.GAMMA.id());
    host.ask("ada", prompt(1));
    GenerationResult bob = host.ask("bob", prompt(2));
    assertEquals(0, bob.cachedTokens());
    assertEquals(alone(Geometry.GAMMA, prompt(2)), bob.tokens());
  }

  @Test
  void allBlocksAreFreeAgainWhenAllHaveLeft() throws Exception {
    host.ask("ada", prompt(1));
    host.ask("bob", prompt(2));
    host.registry.swapWithRollback(Geometry.BETA.id());
    host.registry.swapWithRollback(Geometry.ALPHA.id());
    assertTrue(free >= host.registry.pool().availableBlocks());
    assertEquals(650, host.ask("bob", append(prompt(2), 3)).cachedTokens());
  }

  @ParameterizedTest
  @EnumSource(Fault.class)
  void whoCannotBeGivenWhatAnotherHoldsComputesIt(Fault fault) throws Exception {
    int[] ada = said(prompt(1), host.ask("ada", prompt(1)));
    Script.Hold hold = host.script.hold(PortCall.FORWARD);
    Generation eve = host.ask(request("eve", 200, tokens(9, 9)));
    hold.awaitReached();
    Generation bob = host.ask(request("bob", 5, prompt(2)));
    host.script.fail(PortCall.OPEN, 2, fault);
    hold.release();
    GenerationResult answer = bob.await(PATIENCE);
    assertTrue(host.script.fired());
    assertEquals(0, answer.cachedTokens());
    eve.await(PATIENCE); // and it cost nobody else anything
    host.script.heal();
    assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
  }

  @Test
  void aWindowThatCannotBeSharedIsAskedForOnceAndNotAtEveryStep() throws Exception {
    host.registry.swapWithRollback(Geometry.GAMMA.id());
    host.ask("ada", prompt(1));
    host.script.fail(PortCall.LOAD, 1, Fault.DECLARED); // counts from here
    GenerationRequest small =
        GenerationRequest.of(new Prompt.Tokens(tokens(900, 5)))
            .prefillChunk(20)
            .maxTokens(1)
            .build();
    Generation first = host.ask(small); // whose prompt takes turns with bob's
    GenerationResult bob = host.ask(request("bob", 5, prompt(2))).await(PATIENCE);
    first.await(PATIENCE);
    host.script.heal();
    assertEquals(0, bob.cachedTokens());
    assertTrue(host.script.count(PortCall.OPEN) <= 3, () -> "" + host.script.count(PortCall.OPEN));
  }

  @Test
  void anEditGivesBackTheBlocksThatItDoesNotNeed() {
    host.ask("ada", tokens(1000, 3));
    assertEquals(4, free - host.registry.pool().availableBlocks());
    int[] edited = Arrays.copyOf(tokens(1000, 3), 200);
    edited[100]++;
    assertEquals(100, host.ask("ada", edited).cachedTokens());
    assertEquals(1, free - host.registry.pool().availableBlocks());
  }

  @Test
  void whatWasBookedForAPromptThatIsCalledOffIsGivenBack() throws Exception {
    Script.Hold hold = host.script.hold(PortCall.FORWARD);
    Generation ada = host.ask(request("ada", 5, tokens(1000, 3)));
    hold.awaitReached();
    ada.cancel();
    hold.release();
    assertEquals(FinishReason.CANCELLED, ada.await(PATIENCE).reason());
    assertEquals(512, host.ask("ada", Arrays.copyOf(tokens(1000, 3), 513)).cachedTokens());
    assertEquals(3, free - host.registry.pool().availableBlocks());
  }

  @Test
  void everyBlockIsCountedWhereAPartIsCut() {
    host.ask("ada", prompt(1));
    host.ask("bob", prompt(2)); // two blocks are shared
    int[] edited = prompt(2);
    edited[300]++;
    assertEquals(300, host.ask("bob", edited).cachedTokens());
    // ada: two shared, one; bob: 355 tokens behind the 300 that he still shares
    assertEquals(3 + 2, free - host.registry.pool().availableBlocks());
  }

  private static int[] append(int[] prompt, int token) {
    int[] longer = Arrays.copyOf(prompt, prompt.length + 1);
    longer[prompt.length] = token + 20;
    return longer;
  }
}
