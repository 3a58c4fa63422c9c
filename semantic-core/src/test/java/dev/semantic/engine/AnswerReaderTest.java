package dev.semantic.engine;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.formats.AnswerFormats;
import dev.semantic.generate.ChatMessage;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationEvent;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.Tool;
import dev.semantic.generate.ToolChoice;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.spi.AnswerFormat;
import dev.semantic.spi.AnswerParser;
import dev.semantic.spi.Detokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What an answer to a conversation says, thinks and calls, as events and as a message. */
class AnswerReaderTest {
  /** Token 0 is a special one. */
  private static final Detokenizer TEXTS =
      new Detokenizer(
          "<|python_tag|>a<think>".getBytes(StandardCharsets.UTF_8),
          new int[] {14, 15, 22},
          BitSet.valueOf(new long[] {1}),
          false);

  private static final AnswerFormat HERMES = AnswerFormats.of("<tool_call> tools");
  private static final Prompt.Chat CHAT =
      new Prompt.Chat(List.of(ChatMessage.user("?")))
          .withTools(List.of(Tool.of("add", "", "{\"type\": \"object\"}")));

  private final List<GenerationEvent> events = new ArrayList<>();

  private AnswerReader reader(Prompt.Chat chat, AnswerFormat format, int... prompt) {
    return new AnswerReader(chat, prompt, format, TEXTS);
  }

  private ChatMessage read(AnswerReader reader, String... pieces) {
    for (String piece : pieces) {
      reader.accept(piece, events::add);
    }
    reader.end(events::add);
    return reader.message();
  }

  @Test
  void callsThoughtsAndWordsAreTheMessage() {
    ChatMessage message =
        read(
            reader(CHAT, HERMES, 1),
            "<think>Hm.</think>I add.<tool_call>{\"name\": \"add\", ",
            "\"arguments\": {\"x\": 1}}</tool_call><tool_call>{\"name\": \"add\"}</tool_call>");
    assertEquals("Hm.", message.reasoning());
    assertEquals("I add.", message.content());
    assertEquals(2, message.toolCalls().size());
    assertEquals("{\"x\": 1}", message.toolCalls().getFirst().arguments());
    String id = message.toolCalls().getFirst().id();
    assertTrue(id.matches("[a-z0-9]{9}"), id);
    assertFalse(id.equals(message.toolCalls().getLast().id()));
    assertEquals(
        List.of(
            new GenerationEvent.Reasoning("Hm."),
            new GenerationEvent.Text("I add."),
            new GenerationEvent.CallBegun(0, id, "add"),
            new GenerationEvent.CallArguments(0, "{\"x\": 1}"),
            new GenerationEvent.CallComplete(0, message.toolCalls().getFirst())),
        events.subList(0, 5));
  }

  @Test
  void aPromptMayHaveOpenedTheThoughts() {
    assertEquals("a", read(reader(CHAT, HERMES, 1, 2), "a</think>b").reasoning());
  }

  /** JSON that a parser lets through, and that says one thing twice. */
  @Test
  void argumentsThatCannotBeReadAreText() {
    ChatMessage message =
        read(
            reader(CHAT, HERMES, 1),
            "<tool_call>{\"name\": \"add\", \"arguments\": {\"x\": 1, \"x\": 2}}</tool_call>");
    assertEquals(List.of(), message.toolCalls());
    assertEquals("{\"x\": 1, \"x\": 2}", message.content());
    assertTrue(
        events.getLast() instanceof GenerationEvent.BrokenCall broken
            && broken.reason().contains("Duplicate"),
        events::toString);
  }

  @Test
  void whereNoneMayBeCalledAllIsText() {
    String said = "<tool_call>{\"name\": \"add\"}</tool_call>";
    Prompt.Chat none = CHAT.withChoice(ToolChoice.NONE);
    assertEquals(said, read(reader(none, HERMES, 1), said).content());
  }

  @Test
  void specialTokensCountWhereTheFormatKnowsThem() {
    AnswerFormat llama = AnswerFormats.of("<|python_tag|>");
    assertEquals("<|python_tag|>", reader(CHAT, llama, 1).marker(0));
    assertEquals("", reader(CHAT, HERMES, 1).marker(0));
    assertEquals("", reader(CHAT, llama, 1).marker(1));
  }

  @Test
  void aParserThatThrowsIsNotAskedAgain() {
    AnswerFormat broken =
        new AnswerFormat() {
          @Override
          public String name() {
            return "broken";
          }

          @Override
          public boolean matches(String template) {
            return false;
          }

          @Override
          public Set<String> markers() {
            return Set.of();
          }

          @Override
          public AnswerParser parser(List<Tool> tools, String promptEnd) {
            return new AnswerParser() {
              @Override
              public void accept(String more, Sink out) {
                throw new IllegalStateException("broken");
              }

              @Override
              public void end(Sink out) {
                throw new IllegalStateException("broken");
              }
            };
          }
        };
    assertEquals("one two", read(reader(CHAT, broken, 1), "one", " two").content());
  }

  /** What follows the tokens are the parts of the message, and the message is the answer's. */
  @Test
  void aConversationsAnswerIsToldInParts() {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Generation generation =
          host.ask(
              GenerationRequest.of(new Prompt.Chat(List.of(ChatMessage.user("Who are you?"))))
                  .maxTokens(40)
                  .build());
      StringBuilder parts = new StringBuilder();
      int tokens = 0;
      for (Iterator<GenerationEvent> all = generation.events(); all.hasNext(); ) {
        GenerationEvent event = all.next();
        tokens += event instanceof GenerationEvent.Token ? 1 : 0;
        if (event instanceof GenerationEvent.Text(String text)) {
          parts.append(text);
        }
      }
      GenerationResult result = generation.await(PATIENCE);
      assertEquals(result.tokens().size(), tokens);
      assertEquals(result.text(), parts.toString());
      assertEquals(ChatMessage.assistant(result.text()), result.message());
    }
  }
}
