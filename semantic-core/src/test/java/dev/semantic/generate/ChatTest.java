package dev.semantic.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What makes a conversation, and what is refused of one, by its place. */
class ChatTest {
  private static final Tool ADD = Tool.of("add", "adds", "{\"type\": \"object\"}");
  private static final ChatMessage USER = ChatMessage.user("1 + 2?");
  private static final ToolCall CALL = new ToolCall("a", "add", "{\"x\": 1.50}");
  private static final ChatMessage CALLS =
      ChatMessage.assistant("", List.of(CALL, new ToolCall("b", "add", "{}")));

  private static void assertRefused(Runnable made, String... named) {
    String message =
        String.valueOf(assertThrows(IllegalArgumentException.class, made::run).getMessage());
    for (String each : named) {
      assertTrue(message.contains(each), () -> each + " is not in: " + message);
    }
  }

  @Test
  void aConversationIsReadAsItIsWritten() {
    Prompt.Chat chat =
        new Prompt.Chat(
                List.of(
                    ChatMessage.developer("Be exact."),
                    USER,
                    ChatMessage.assistant("", List.of(new ToolCall("b", "add", "{\"x\":1}")))
                        .withReasoning("hm"),
                    ChatMessage.tool("b", "3")))
            .withTools(List.of(ADD))
            .withChoice(ToolChoice.named("add"))
            .with("enable_thinking", false)
            .with("documents", List.of(Map.of("title", "t")));
    assertEquals(chat, Prompt.Chat.of(chat.fields()));
  }

  /** OpenAI's servers write them so, and agents keep what servers wrote. */
  @Test
  void argumentsMayBeATextAndContentNone() {
    Map<String, Object> function = Map.of("name", "add", "arguments", "{\"x\": 1.50}");
    Map<String, Object> fields = new HashMap<>();
    fields.put("role", "assistant");
    fields.put("content", null);
    fields.put("tool_calls", List.of(Map.of("id", "a", "function", function)));
    fields.put("thinking", "hm");
    ChatMessage read = ChatMessage.of(fields);
    assertEquals(List.of(CALL), read.toolCalls());
    assertEquals("", read.content());
    assertEquals("hm", read.reasoning());
  }

  @Test
  void partsOfWordsAreWords() {
    Map<String, Object> one = Map.of("type", "text", "text", "one ");
    Map<String, Object> two = Map.of("type", "text", "text", "two");
    ChatMessage read = ChatMessage.of(Map.of("role", "user", "content", List.of(one, two)));
    assertEquals("one two", read.content());
    assertEquals("one two", read.fields().get("content"));
  }

  @Test
  void whatIsNoConversationIsRefusedByItsPlace() {
    Prompt.Chat chat = new Prompt.Chat(List.of(USER));
    assertRefused(() -> chat.withTools(List.of(ADD, ADD)), "Tools 1 and 2", "'add'");
    Prompt.Chat adds = chat.withTools(List.of(ADD));
    assertRefused(() -> adds.withChoice(ToolChoice.named("sub")), "'sub'", "[add]");
    assertRefused(() -> chat.withChoice(ToolChoice.REQUIRED), "no tools");
    assertRefused(() -> chat.with("messages", 1), "'messages'");
    assertRefused(() -> chat.with("x", List.of(new Object())), "variables.x[0]");
    assertRefused(() -> new ToolCall("a", "add", "[1]"), "arguments of add", "a list");
    assertRefused(() -> new ToolCall("a", "add", "{\"x\": }"), "arguments of add", "column");
    assertRefused(() -> Tool.of("add", "", "{"), "parameters of add");
    assertRefused(() -> ChatMessage.assistant("", List.of(CALL, CALL)), "same id");
    List<?> empty = List.of(Map.of("role", "user"));
    assertRefused(() -> Prompt.Chat.of(Map.of("messages", empty)), "message 1", "content");
    List<?> messages = List.of(USER.fields());
    List<?> tools = List.of(Map.of("d", "x"));
    assertRefused(
        () -> Prompt.Chat.of(Map.of("messages", messages, "tools", tools)), "tool 1", "name");
  }

  @Test
  void aResultBelongsToACall() {
    ChatMessage result = ChatMessage.tool("a", "3");
    List<List<ChatMessage>> wrong =
        List.of(
            List.of(USER, result),
            List.of(USER, CALLS, ChatMessage.tool("c", "3")),
            List.of(USER, CALLS, result, result),
            List.of(USER, CALLS, ChatMessage.user("and?"), result));
    for (List<ChatMessage> each : wrong) {
      assertRefused(
          () -> new Prompt.Chat(each), "Message " + each.size(), "tool's result", "leave it out");
    }
    List<ChatMessage> right = new ArrayList<>(List.of(USER, CALLS));
    right.add(ChatMessage.of(Map.of("role", "tool", "content", "3")));
    right.add(ChatMessage.of(Map.of("role", "tool", "content", "4")));
    assertEquals(4, new Prompt.Chat(right).messages().size());
  }
}
