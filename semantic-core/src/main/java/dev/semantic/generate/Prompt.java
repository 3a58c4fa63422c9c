package dev.semantic.generate;

import java.time.LocalDate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a generation starts from. */
public sealed interface Prompt {
  /** Tokens, taken as they are. */
  record Tokens(int... ids) implements Prompt {
    public Tokens {
      if (ids.length == 0) {
        throw new IllegalArgumentException("A prompt needs at least one token");
      }
      ids = ids.clone();
    }

    @Override
    public int[] ids() {
      return ids.clone();
    }
  }

  /** Plain text; the beginning-of-sequence token is added as the model wants it. */
  record Text(String text) implements Prompt {
    public Text {
      Objects.requireNonNull(text, "text must not be null");
    }
  }

  /**
   * A conversation, rendered by the model's chat template up to where the assistant answers.
   *
   * @param tools what the model may ask to have used
   * @param choice whether it may, must or must not
   * @param variables what templates know besides, by their names: {@code enable_thinking}, {@code
   *     documents}; plain values
   * @param today what the template takes for today; without, today
   */
  record Chat(
      List<ChatMessage> messages,
      List<Tool> tools,
      ToolChoice choice,
      Map<String, @Nullable Object> variables,
      Optional<LocalDate> today)
      implements Prompt {
    /**
     * Copies.
     *
     * @throws IllegalArgumentException if there is no message, two tools have one name, the choice
     *     names none of them, or a tool's result answers no call; with the place and what to do
     */
    public Chat {
      messages = List.copyOf(messages);
      tools = List.copyOf(tools);
      Objects.requireNonNull(choice, "choice must not be null");
      variables = JsonValues.map(variables, "variables");
      ChatRules.require(messages, tools, choice, variables);
    }

    /** Without tools. */
    public Chat(List<ChatMessage> messages) {
      this(messages, List.of(), ToolChoice.AUTO, Map.of(), Optional.empty());
    }

    /**
     * A conversation as OpenAI's interface and templates name its parts: {@code messages}, {@code
     * tools}, {@code tool_choice}, and variables of any other name.
     *
     * @throws IllegalArgumentException if that is none, with the place
     */
    public static Chat of(Map<String, ? extends @Nullable Object> fields) {
      return ChatRules.chat(fields);
    }

    /** As {@link #of} reads it, but for {@link #today}. */
    public Map<String, @Nullable Object> fields() {
      Map<String, @Nullable Object> fields = new LinkedHashMap<>(variables);
      fields.put("messages", messages.stream().map(ChatMessage::fields).toList());
      if (!tools.isEmpty()) {
        fields.put("tools", tools.stream().map(Tool::fields).toList());
        fields.put("tool_choice", choice.word());
      }
      return fields;
    }

    public Chat withMessages(List<ChatMessage> value) {
      return new Chat(value, tools, choice, variables, today);
    }

    public Chat withTools(List<Tool> value) {
      return new Chat(messages, value, choice, variables, today);
    }

    public Chat withChoice(ToolChoice value) {
      return new Chat(messages, tools, value, variables, today);
    }

    /** With one more variable. */
    public Chat with(String name, @Nullable Object value) {
      Map<String, @Nullable Object> more = new LinkedHashMap<>(variables);
      more.put(name, value);
      return new Chat(messages, tools, choice, more, today);
    }

    public Chat withToday(LocalDate value) {
      return new Chat(messages, tools, choice, variables, Optional.of(value));
    }

    /** The first part that is no text, for a model that reads nothing else: "message 2, part 1". */
    public Optional<String> firstMedium() {
      return ChatRules.firstMedium(messages);
    }
  }
}
