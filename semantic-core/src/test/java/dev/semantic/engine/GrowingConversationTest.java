package dev.semantic.engine;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.request;
import static dev.semantic.scripted.ScriptedHost.said;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.semantic.generate.ChatMessage;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.kv.AgentId;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.ScriptedHost;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What an agent's next turn has computed: by the tokens that the model was given. The scripted
 * models' answers depend on every key and value, so a wrong reuse would also be a wrong answer.
 */
class GrowingConversationTest {
  private static int[] append(int[] one, int... more) {
    int[] all = Arrays.copyOf(one, one.length + more.length);
    System.arraycopy(more, 0, all, one.length, more.length);
    return all;
  }

  /** Asks for one token; the prompt's tokens that were computed, which the answer must admit to. */
  private static int computed(ScriptedHost host, int[] prompt) {
    long before = host.runtime.computedTokens();
    GenerationResult answer = host.ask(request("ada", 1, prompt)).await(PATIENCE);
    int computed = (int) (host.runtime.computedTokens() - before);
    assertEquals(prompt.length - computed, answer.cachedTokens());
    return computed;
  }

  @ParameterizedTest
  @EnumSource(
      value = Geometry.class,
      names = {"ALPHA", "GAMMA"})
  void everyTurnComputesOnlyWhatIsNew(Geometry model) {
    try (ScriptedHost host = ScriptedHost.serving(model)) {
      int[] text = tokens(50, 1);
      for (int turn = 0; turn < 6; turn++) {
        text = append(said(text, host.ask("ada", text)), tokens(1 + 7 * turn, turn));
        // the last answer's last token was said, but not computed
        assertEquals(1 + 1 + 7 * turn, computed(host, text));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 49, 50, 54, 99, 255, 256, 257, 299})
  void anEditGoesBackToTheVeryTokenThatWasChanged(int at) {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      int[] text = tokens(300, 1);
      host.ask("ada", text);
      text[at]++;
      assertEquals(300 - at, computed(host, text));
    }
  }

  /** {@code GAMMA}'s window is of eight tokens. */
  @ParameterizedTest
  @ValueSource(ints = {0, 50, 91, 92, 98, 99})
  void anEditThatAWindowCannotGoBackToIsComputedAnewAndSaysSo(int at) {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.GAMMA)) {
      int[] text = tokens(100, 1);
      host.ask(request("ada", 1, text)).await(PATIENCE); // holds 100, the window 92 to 100
      text[at]++;
      assertEquals(100, computed(host, text));
    }
  }

  @Test
  void aWindowThatHasNotMovedYetGoesBackToTheVeryToken() {
    for (int length : new int[] {7, 8}) {
      for (int at = 1; at < length; at++) {
        try (ScriptedHost host = ScriptedHost.serving(Geometry.GAMMA)) {
          int[] text = tokens(length, 1);
          host.ask(request("ada", 1, text)).await(PATIENCE);
          text[at]++;
          assertEquals(length - at, computed(host, text), length + " tokens, at " + at);
        }
      }
    }
  }

  @Test
  void anEditedMessageOfAChatKeepsWhatWasSaidBefore() {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      List<ChatMessage> chat = new ArrayList<>();
      chat.add(ChatMessage.system("Be brief."));
      chat.add(ChatMessage.user("Who are you?"));
      chat.add(ChatMessage.assistant(ask(host, chat).text()));
      chat.add(ChatMessage.user("And who am I?"));
      ask(host, chat);
      int before = "system: Be brief.\nuser: Who are you?\n".length() - 2; // up to the "?"
      chat.set(1, ChatMessage.user("Who are you!"));
      assertEquals(before, ask(host, chat).cachedTokens());
    }
  }

  private static GenerationResult ask(ScriptedHost host, List<ChatMessage> chat) {
    return host.ask(
            GenerationRequest.of(new Prompt.Chat(chat))
                .agent(new AgentId("ada"))
                .maxTokens(5)
                .build())
        .await(PATIENCE);
  }

  @Test
  void theSameTurnAgainComputesItsLastTokenOnly() {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      computed(host, tokens(300, 1));
      assertEquals(1, computed(host, tokens(300, 1)));
    }
  }

  @Test
  void aBeginningOfWhatItHoldsIsEnough() {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      computed(host, tokens(300, 1));
      assertEquals(1, computed(host, Arrays.copyOf(tokens(300, 1), 120)));
    }
  }
}
