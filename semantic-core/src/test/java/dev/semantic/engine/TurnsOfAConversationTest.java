package dev.semantic.engine;

import static dev.semantic.scripted.ScriptedHouse.PATIENCE;
import static dev.semantic.scripted.ScriptedHouse.request;
import static dev.semantic.scripted.ScriptedHouse.said;
import static dev.semantic.scripted.ScriptedHouse.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.semantic.generate.ChatMessage;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.kv.AgentId;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.ScriptedHouse;
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
class TurnsOfAConversationTest {
  private static int[] append(int[] one, int... more) {
    int[] all = Arrays.copyOf(one, one.length + more.length);
    System.arraycopy(more, 0, all, one.length, more.length);
    return all;
  }

  /** Asks for one token; the prompt's tokens that were computed, which the answer must admit to. */
  private static int computed(ScriptedHouse house, int[] prompt) {
    long before = house.runtime.computedTokens();
    GenerationResult answer = house.ask(request("ada", 1, prompt)).await(PATIENCE);
    int computed = (int) (house.runtime.computedTokens() - before);
    assertEquals(prompt.length - computed, answer.cachedTokens());
    return computed;
  }

  @ParameterizedTest
  @EnumSource(
      value = Geometry.class,
      names = {"ALPHA", "GAMMA"})
  void everyTurnComputesOnlyWhatIsNew(Geometry model) {
    try (ScriptedHouse house = ScriptedHouse.serving(model)) {
      int[] text = tokens(50, 1);
      for (int turn = 0; turn < 6; turn++) {
        text = append(said(text, house.ask("ada", text)), tokens(1 + 7 * turn, turn));
        // the last answer's last token was said, but not computed
        assertEquals(1 + 1 + 7 * turn, computed(house, text));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 49, 50, 54, 99, 255, 256, 257, 299})
  void anEditGoesBackToTheVeryTokenThatWasChanged(int at) {
    try (ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA)) {
      int[] text = tokens(300, 1);
      house.ask("ada", text);
      text[at]++;
      assertEquals(300 - at, computed(house, text));
    }
  }

  /** {@code GAMMA}'s window is of eight tokens. */
  @ParameterizedTest
  @ValueSource(ints = {0, 50, 91, 92, 98, 99})
  void anEditThatAWindowCannotGoBackToIsComputedAnewAndSaysSo(int at) {
    try (ScriptedHouse house = ScriptedHouse.serving(Geometry.GAMMA)) {
      int[] text = tokens(100, 1);
      house.ask(request("ada", 1, text)).await(PATIENCE); // holds 100, the window 92 to 100
      text[at]++;
      assertEquals(100, computed(house, text));
    }
  }

  @Test
  void aWindowThatHasNotMovedYetGoesBackToTheVeryToken() {
    for (int length : new int[] {7, 8}) {
      for (int at = 1; at < length; at++) {
        try (ScriptedHouse house = ScriptedHouse.serving(Geometry.GAMMA)) {
          int[] text = tokens(length, 1);
          house.ask(request("ada", 1, text)).await(PATIENCE);
          text[at]++;
          assertEquals(length - at, computed(house, text), length + " tokens, at " + at);
        }
      }
    }
  }

  @Test
  void anEditedMessageOfAChatKeepsWhatWasSaidBefore() {
    try (ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA)) {
      List<ChatMessage> chat = new ArrayList<>();
      chat.add(ChatMessage.system("Be brief."));
      chat.add(ChatMessage.user("Who are you?"));
      chat.add(ChatMessage.assistant(ask(house, chat).text()));
      chat.add(ChatMessage.user("And who am I?"));
      ask(house, chat);
      int before = "system: Be brief.\nuser: Who are you?\n".length() - 2; // up to the "?"
      chat.set(1, ChatMessage.user("Who are you!"));
      assertEquals(before, ask(house, chat).cachedTokens());
    }
  }

  private static GenerationResult ask(ScriptedHouse house, List<ChatMessage> chat) {
    return house
        .ask(
            GenerationRequest.of(new Prompt.Chat(chat))
                .agent(new AgentId("ada"))
                .maxTokens(5)
                .build())
        .await(PATIENCE);
  }

  @Test
  void theSameTurnAgainComputesItsLastTokenOnly() {
    try (ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA)) {
      computed(house, tokens(300, 1));
      assertEquals(1, computed(house, tokens(300, 1)));
    }
  }

  @Test
  void aBeginningOfWhatItHoldsIsEnough() {
    try (ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA)) {
      computed(house, tokens(300, 1));
      assertEquals(1, computed(house, Arrays.copyOf(tokens(300, 1), 120)));
    }
  }
}
