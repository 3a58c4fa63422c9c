package dev.semantic.mlx.tokenizer;

import dev.semantic.generate.ChatMessage;
import dev.semantic.generate.Tool;
import dev.semantic.generate.ToolCall;
import dev.semantic.mlx.template.ChatTemplate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Tools for a model whose template knows none: they are told in the system message, calls are text
 * between {@code <tool_call>} tags, and results come from the user. Hermes models are trained on
 * that; others understand it more or less.
 */
final class ToolsInWords {
  private static final String HOW =
      """
      To call one, answer with a JSON object between these tags, one pair for each call:
      <tool_call>
      {"name": "the function's name", "arguments": {"an argument's name": "its value"}}
      </tool_call>\
      """;

  private static final ChatTemplate TO_JSON = ChatTemplate.parse("{{ value | tojson }}");

  private ToolsInWords() {}

  /**
   * The same conversation in words.
   *
   * @param takesSystem whether the template takes a system message; else the first user is told
   */
  static List<ChatMessage> messages(
      List<ChatMessage> messages, List<Tool> tools, BooleanSupplier takesSystem) {
    List<ChatMessage> told = new ArrayList<>();
    boolean results = false; // whether the last message is made of them
    for (ChatMessage message : messages) {
      if (message.role().equals("tool")) {
        String result = "<tool_response>\n%s\n</tool_response>".formatted(message.content());
        told.add(
            results
                ? ChatMessage.user(told.removeLast().content() + "\n" + result)
                : ChatMessage.user(result));
        results = true;
      } else {
        told.add(message.toolCalls().isEmpty() ? message : called(message));
        results = false;
      }
    }
    return tools.isEmpty() ? told : instructed(told, tools, takesSystem.getAsBoolean());
  }

  private static ChatMessage called(ChatMessage message) {
    String calls =
        message.toolCalls().stream().map(ToolsInWords::written).collect(Collectors.joining("\n"));
    String said = message.content().isEmpty() ? calls : message.content() + "\n" + calls;
    return ChatMessage.assistant(said).withReasoning(message.reasoning());
  }

  private static String written(ToolCall call) {
    return "<tool_call>\n{\"name\": %s, \"arguments\": %s}\n</tool_call>"
        .formatted(json(call.name()), call.arguments());
  }

  /** As templates write it. */
  private static String json(Object value) {
    return TO_JSON.render(Map.of("value", value));
  }

  private static List<ChatMessage> instructed(
      List<ChatMessage> messages, List<Tool> tools, boolean system) {
    String all = tools.stream().map(tool -> json(tool.fields())).collect(Collectors.joining("\n"));
    String what =
        "You may call one or more of these functions:\n<tools>\n" + all + "\n</tools>\n" + HOW;
    List<ChatMessage> told = new ArrayList<>(messages);
    ChatMessage first = told.getFirst();
    if (first.role().equals("system") || (!system && first.role().equals("user"))) {
      Map<String, @Nullable Object> fields = new LinkedHashMap<>(first.fields());
      String both =
          first.role().equals("system")
              ? first.content() + "\n\n" + what
              : what + "\n\n" + first.content();
      fields.put("content", both);
      told.set(0, ChatMessage.of(fields));
    } else {
      told.addFirst(system ? ChatMessage.system(what) : ChatMessage.user(what));
    }
    return told;
  }
}
