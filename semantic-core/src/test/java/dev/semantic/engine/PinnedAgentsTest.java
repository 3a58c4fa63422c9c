package dev.semantic.engine;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.assertSays;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.kv.AgentId;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHost;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Agents whose caches stay in memory, whoever needs room. */
class PinnedAgentsTest {
  private static final AgentId ADA = new AgentId("ada");

  @RegisterExtension private final ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA);

  private int loads() {
    return host.script.count(PortCall.STORE_LOAD);
  }

  @Test
  void anotherLeavesInsteadOfHer() {
    host.runtime.readsInPlace(false); // which asks once more where there is no room
    host.registry.pin(ADA);
    host.ask("ada", tokens(900, 1));
    host.ask("bob", tokens(900, 2));
    host.ask("eve", tokens(300, 3)); // ada was silent for longest
    int before = loads();
    assertEquals(899, host.ask("ada", tokens(900, 1)).cachedTokens());
    assertEquals(before, loads(), "she had to leave");
    host.registry.unpin(ADA);
    host.ask("bob", tokens(900, 2));
    host.ask("eve", tokens(900, 3));
    before = loads();
    assertEquals(899, host.ask("ada", tokens(900, 1)).cachedTokens());
    assertEquals(before + 1, loads(), "nobody pins her any more");
  }

  @Test
  void whatFindsNoRoomBesideThemIsRefusedInWords() {
    host.registry.pin(ADA);
    host.ask("ada", tokens(1200, 1)); // 5 of 8 blocks
    var refused = assertThrows(RequestException.class, () -> host.ask("bob", tokens(900, 2)));
    assertSays("no idle agent to park (pinned: 1)", refused);
    assertEquals(1199, host.ask("ada", tokens(1200, 1)).cachedTokens());
    host.ask("bob", tokens(700, 2));
  }

  @Test
  void whoIsBeingAnsweredGivesWayLastIfItIsPinned() throws Exception {
    host.ask("first", tokens(900, 1)); // 4 of 8 blocks, and soon a fifth
    host.ask("bob", tokens(300, 2));
    host.ask("ada", tokens(300, 3));
    host.registry.pin(ADA);
    Script.Hold hold = host.script.hold(PortCall.FORWARD);
    Generation first = host.ask(longAnswer("first", tokens(900, 1)));
    hold.awaitReached();
    Generation bob = host.ask(longAnswer("bob", tokens(300, 2)));
    Generation ada = host.ask(longAnswer("ada", tokens(300, 3)));
    hold.release();
    assertEquals(899, first.await(PATIENCE).cachedTokens());
    assertEquals(299, ada.await(PATIENCE).cachedTokens());
    assertEquals(0, bob.await(PATIENCE).cachedTokens(), "came before her, and starts over");
  }

  private static GenerationRequest longAnswer(String agent, int[] prompt) {
    return GenerationRequest.of(new Prompt.Tokens(prompt))
        .agent(new AgentId(agent))
        .maxTokens(200)
        .ignoreEos(true)
        .build();
  }
}
