package dev.semantic.generate;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What makes a conversation, whatever the model. Refusals name the place and the remedy. */
final class ChatRules {
  private static final Set<String> TAKEN = Set.of("messages", "tools", "tool_choice");

  private ChatRules() {}

  static void require(
      List<ChatMessage> messages,
      List<Tool> tools,
      ToolChoice choice,
      Map<String, @Nullable Object> variables) {
    if (messages.isEmpty()) {
      throw new IllegalArgumentException("A conversation needs at least one message");
    }
    for (String name : variables.keySet()) {
      if (TAKEN.contains(name)) {
        throw new IllegalArgumentException(
            "'%s' is no variable; it is a part of the conversation itself".formatted(name));
      }
    }
    requireTools(tools, choice);
    requireResults(messages);
  }

  private static void requireTools(List<Tool> tools, ToolChoice choice) {
    List<String> names = new ArrayList<>();
    for (Tool tool : tools) {
      if (names.contains(tool.name())) {
        throw new IllegalArgumentException(
            "Tools %d and %d are both called '%s'; rename one of them"
                .formatted(names.indexOf(tool.name()) + 1, names.size() + 1, tool.name()));
      }
      names.add(tool.name());
    }
    if (choice.kind() == ToolChoice.Kind.NAMED && !names.contains(choice.tool())) {
      throw new IllegalArgumentException(
          "The tool choice names '%s'; the tools are %s".formatted(choice.tool(), names));
    }
    if (choice.kind() == ToolChoice.Kind.REQUIRED && names.isEmpty()) {
      throw new IllegalArgumentException(
          "The tool choice is required, and there are no tools; give one, or choose auto");
    }
  }

  /** Results come behind the message that has their calls, each call's once. */
  private static void requireResults(List<ChatMessage> messages) {
    List<ToolCall> open = new ArrayList<>();
    Set<String> answered = new HashSet<>();
    for (int i = 0; i < messages.size(); i++) {
      ChatMessage message = messages.get(i);
      if (!message.role().equals("tool")) {
        open = new ArrayList<>(message.toolCalls());
        answered.clear();
        continue;
      }
      String id = message.toolCallId().orElse(null);
      boolean known = id == null ? !open.isEmpty() : open.removeIf(call -> call.id().equals(id));
      if (!known) {
        String why =
            id == null
                ? "no call before it that has no result"
                : answered.contains(id)
                    ? "the call '%s', which has its result already".formatted(id)
                    : "the call '%s', which the assistant's message before it does not have"
                        .formatted(id);
        throw new IllegalArgumentException(
            "Message %d is a tool's result for %s; put it behind the assistant's message with the call, or leave it out"
                .formatted(i + 1, why));
      }
      if (id == null) {
        open.removeFirst();
      } else {
        answered.add(id);
      }
    }
  }

  static Prompt.Chat chat(Map<String, ? extends @Nullable Object> fields) {
    Map<String, @Nullable Object> left = new LinkedHashMap<>(fields);
    if (!(left.remove("messages") instanceof List<?> said)) {
      throw new IllegalArgumentException("messages must be a list");
    }
    List<ChatMessage> messages = new ArrayList<>();
    for (Object each : said) {
      String place = "message " + (messages.size() + 1);
      messages.add(placed(place, () -> ChatMessage.of(object(each))));
    }
    Object given = left.remove("tools");
    if (given != null && !(given instanceof List<?>)) {
      throw new IllegalArgumentException("tools must be a list");
    }
    List<Tool> tools = new ArrayList<>();
    for (Object each : given instanceof List<?> list ? list : List.of()) {
      tools.add(placed("tool " + (tools.size() + 1), () -> Tool.of(object(each))));
    }
    ToolChoice choice = choice(left.remove("tool_choice"));
    return new Prompt.Chat(messages, tools, choice, left, Optional.empty());
  }

  /** {@code "auto"}, or {@code {"type": "function", "function": {"name": …}}}. */
  private static ToolChoice choice(@Nullable Object said) {
    if (said == null) {
      return ToolChoice.AUTO;
    }
    if (said instanceof String word) {
      return ToolChoice.of(word);
    }
    if (said instanceof Map<?, ?> map
        && map.get("function") instanceof Map<?, ?> function
        && function.get("name") instanceof String name) {
      return ToolChoice.named(name);
    }
    throw new IllegalArgumentException(
        "tool_choice must be auto, none, required, or a tool's name");
  }

  private interface Made<T> {
    T get();
  }

  private static <T> T placed(String place, Made<T> made) {
    try {
      return made.get();
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("%s: %s".formatted(place, e.getMessage()), e);
    }
  }

  private static Map<String, @Nullable Object> object(@Nullable Object each) {
    if (each instanceof Map<?, ?> map) {
      return JsonValues.map(map, "it");
    }
    throw new IllegalArgumentException("it must be an object, not " + JsonValues.kind(each));
  }

  static Optional<String> firstMedium(List<ChatMessage> messages) {
    for (int i = 0; i < messages.size(); i++) {
      List<ContentPart> parts = messages.get(i).parts();
      for (int j = 0; j < parts.size(); j++) {
        if (!(parts.get(j) instanceof ContentPart.Text)) {
          return Optional.of(
              "Message %d, part %d is %s"
                  .formatted(
                      i + 1,
                      j + 1,
                      parts.get(j).kind().equals("audio") ? "audio" : "an " + parts.get(j).kind()));
        }
      }
    }
    return Optional.empty();
  }
}
