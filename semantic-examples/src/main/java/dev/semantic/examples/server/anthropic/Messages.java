package dev.semantic.examples.server.anthropic;

import dev.semantic.examples.server.http.Fields;
import dev.semantic.examples.server.http.HttpFailure;
import dev.semantic.examples.server.http.Json;
import dev.semantic.generate.ChatMessage;
import dev.semantic.generate.ContentPart;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.Tool;
import dev.semantic.generate.ToolCall;
import dev.semantic.generate.ToolChoice;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Anthropic's conversations, whose messages are made of blocks, as the library has them: a tool's
 * result is a message of its own.
 */
final class Messages {
  private Messages() {}

  /**
   * The conversation of a request.
   *
   * @throws HttpFailure 400 if it is none
   */
  static Prompt.Chat of(Fields body) {
    List<ChatMessage> messages = new ArrayList<>();
    String system = text(body, "system");
    if (!system.isEmpty()) {
      messages.add(ChatMessage.system(system));
    }
    for (Fields message : body.objects("messages")) {
      add(message, messages);
    }
    List<Tool> tools = body.objects("tools").stream().map(Messages::tool).toList();
    Prompt.Chat chat = new Prompt.Chat(messages).withTools(tools).withChoice(choice(body));
    String thinking = body.object("thinking").flatMap(said -> said.text("type")).orElse("");
    return switch (thinking) {
      case "enabled" -> chat.with("enable_thinking", true);
      case "disabled" -> chat.with("enable_thinking", false);
      default -> chat;
    };
  }

  private static void add(Fields message, List<ChatMessage> messages) {
    String role = message.requiredText("role");
    switch (role) {
      case "system" -> messages.add(ChatMessage.system(text(message, "content")));
      case "user" -> addUser(message, messages);
      case "assistant" -> messages.add(assistant(message));
      default ->
          throw HttpFailure.invalid(
              "%s.role must be user, assistant or system; it is '%s'"
                  .formatted(message.place(), role));
    }
  }

  /** Results come first, right behind the message with their calls. */
  private static void addUser(Fields message, List<ChatMessage> messages) {
    List<ContentPart> said = new ArrayList<>();
    boolean results = false;
    for (Fields block : blocks(message, "content")) {
      switch (block.requiredText("type")) {
        case "text" -> said.add(new ContentPart.Text(words(block, "text")));
        case "image" -> said.add(new ContentPart.Image("an image block"));
        case "tool_result" -> {
          results = true;
          messages.add(ChatMessage.tool(block.requiredText("tool_use_id"), text(block, "content")));
        }
        default -> throw unknown(block);
      }
    }
    if (!said.isEmpty() || !results) {
      messages.add(new ChatMessage("user", said, "", List.of(), Optional.empty(), Map.of()));
    }
  }

  private static ChatMessage assistant(Fields message) {
    StringBuilder said = new StringBuilder();
    StringBuilder thought = new StringBuilder();
    List<ToolCall> calls = new ArrayList<>();
    for (Fields block : blocks(message, "content")) {
      switch (block.requiredText("type")) {
        case "text" -> said.append(words(block, "text"));
        case "thinking" -> thought.append(words(block, "thinking"));
        case "redacted_thinking" -> {} // nobody can read it
        case "tool_use" ->
            calls.add(
                new ToolCall(
                    block.requiredText("id"),
                    block.requiredText("name"),
                    Json.write(block.object("input").map(Fields::all).orElseGet(Map::of))));
        default -> throw unknown(block);
      }
    }
    return ChatMessage.assistant(said.toString(), calls).withReasoning(thought.toString());
  }

  private static HttpFailure unknown(Fields block) {
    return HttpFailure.invalid(
        "%s: blocks of the type '%s' are not supported here"
            .formatted(block.place(), block.requiredText("type")));
  }

  private static Tool tool(Fields said) {
    String type = said.text("type").orElse("custom");
    if (!type.equals("custom")) {
      throw HttpFailure.invalid(
          "%s: this server has no tools of its own, and none of the type '%s'"
              .formatted(said.place(), type));
    }
    Map<String, @Nullable Object> function = Json.object("name", said.requiredText("name"));
    said.text("description").ifPresent(text -> function.put("description", text));
    said.object("input_schema").ifPresent(schema -> function.put("parameters", schema.all()));
    if (said.flag("strict")) {
      function.put("strict", true);
    }
    return Tool.of(function);
  }

  private static ToolChoice choice(Fields body) {
    Optional<Fields> said = body.object("tool_choice");
    if (said.isEmpty()) {
      return ToolChoice.AUTO;
    }
    String type = said.get().requiredText("type");
    return switch (type) {
      case "auto" -> ToolChoice.AUTO;
      case "none" -> ToolChoice.NONE;
      case "any" -> ToolChoice.REQUIRED;
      case "tool" -> ToolChoice.named(said.get().requiredText("name"));
      default ->
          throw HttpFailure.invalid(
              "tool_choice.type must be auto, any, tool or none; it is '%s'".formatted(type));
    };
  }

  /** A text, or the texts of its blocks. */
  private static String text(Fields fields, String name) {
    StringBuilder text = new StringBuilder();
    for (Fields block : blocks(fields, name)) {
      if (!block.requiredText("type").equals("text")) {
        throw unknown(block);
      }
      text.append(words(block, "text"));
    }
    return text.toString();
  }

  /** Blocks; of a text the one that it is, of nothing none. */
  private static List<Fields> blocks(Fields fields, String name) {
    if (fields.all().get(name) instanceof String text) {
      return List.of(
          new Fields(Json.object("type", "text", "text", text), fields.place() + "." + name));
    }
    return fields.objects(name);
  }

  private static String words(Fields block, String name) {
    return block
        .text(name)
        .orElseThrow(() -> HttpFailure.invalid(block.place() + "." + name + " is missing"));
  }
}
