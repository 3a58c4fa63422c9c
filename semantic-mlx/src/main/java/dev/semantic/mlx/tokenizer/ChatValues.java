package dev.semantic.mlx.tokenizer;

import dev.semantic.generate.ChatMessage;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.Tool;
import dev.semantic.generate.ToolCall;
import dev.semantic.mlx.template.TemplateException;
import dev.semantic.model.ModelException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A conversation as one model's templates want to be given it. They agree on little: what an
 * assistant's thoughts are called, whether arguments are an object or its JSON, what stands for no
 * words. Where the source doesn't say, a small conversation that is rendered once does.
 */
final class ChatValues {
  private static final Pattern TOOLS = Pattern.compile("\\btools\\b");
  private static final Pattern THINKING = Pattern.compile("[.'\"]thinking\\b");
  private static final Pattern REASONING = Pattern.compile("[.'\"]reasoning\\b");
  private static final Pattern NINE = Pattern.compile("(!=|==|<) *9\\b");

  private final String source;
  private final Function<Map<String, @Nullable Object>, String> render;
  private volatile @Nullable Form form;
  private volatile @Nullable Boolean system;

  /**
   * For a model.
   *
   * @param sources all its templates
   * @param render with one of them; throws a {@link ModelException} where it refuses
   */
  ChatValues(Collection<String> sources, Function<Map<String, @Nullable Object>, String> render) {
    this.source = String.join("\n", sources);
    this.render = render;
  }

  /**
   * How a call is given.
   *
   * @param noWords what the content of a message is that only calls
   * @param text whether arguments are JSON in a text, and not an object
   */
  private record Form(@Nullable String noWords, boolean text) {}

  /**
   * The values of a conversation.
   *
   * @throws ModelException if there is something that is no text
   */
  Map<String, @Nullable Object> of(Prompt.Chat chat) {
    chat.firstMedium()
        .ifPresent(
            what -> {
              throw new ModelException(
                  ModelException.Kind.INVALID, what + "; this model reads text only: leave it out");
            });
    boolean knows = TOOLS.matcher(source).find();
    List<ChatMessage> messages = named(chat.messages());
    if (!knows) {
      messages = ToolsInWords.messages(messages, chat.tools(), this::takesSystem);
    }
    Map<String, @Nullable Object> values = new LinkedHashMap<>(chat.variables());
    boolean calls = messages.stream().anyMatch(message -> !message.toolCalls().isEmpty());
    values.put("messages", fields(messages, calls ? form() : new Form("", false)));
    values.put(
        "tools",
        chat.tools().isEmpty() || !knows ? null : chat.tools().stream().map(Tool::fields).toList());
    return values;
  }

  /** Each call has an id, and each result the id and the name of its call. */
  private List<ChatMessage> named(List<ChatMessage> messages) {
    List<ChatMessage> named = new ArrayList<>();
    Deque<ToolCall> open = new ArrayDeque<>();
    int count = 0;
    for (ChatMessage message : messages) {
      if (message.role().equals("tool")) {
        Optional<String> id = message.toolCallId().map(this::id);
        ToolCall call =
            open.stream()
                .filter(each -> id.isEmpty() || each.id().equals(id.get()))
                .findFirst()
                .orElse(null);
        named.add(call == null ? message : result(message, call));
        open.remove(call);
        continue;
      }
      open.clear();
      for (ToolCall call : message.toolCalls()) {
        String id = call.id().isEmpty() ? "call%05d".formatted(count) : id(call.id());
        open.add(new ToolCall(id, call.name(), call.arguments()));
        count++;
      }
      named.add(
          new ChatMessage(
              message.role().equals("developer") && !source.contains("developer")
                  ? "system"
                  : message.role(),
              message.parts(),
              message.reasoning(),
              List.copyOf(open),
              message.toolCallId(),
              message.more()));
    }
    return named;
  }

  /** Some templates take ids of nine letters and digits only. */
  private String id(String given) {
    boolean fits = given.length() == 9 || !NINE.matcher(source).find();
    if (fits) {
      return given;
    }
    String digits = Long.toString(Integer.toUnsignedLong(given.hashCode()) + (36L << 40), 36);
    return digits.substring(digits.length() - 9);
  }

  private static ChatMessage result(ChatMessage message, ToolCall call) {
    Map<String, @Nullable Object> more = new LinkedHashMap<>(message.more());
    more.putIfAbsent("name", call.name());
    return new ChatMessage(
        message.role(), message.parts(), "", List.of(), Optional.of(call.id()), more);
  }

  private List<Map<String, @Nullable Object>> fields(List<ChatMessage> messages, Form form) {
    boolean inside = source.contains("tool_responses") && !source.contains("'tool'");
    List<Map<String, @Nullable Object>> all = new ArrayList<>();
    for (ChatMessage message : messages) {
      if (inside && message.role().equals("tool") && !all.isEmpty()) {
        respond(all.getLast(), message);
      } else {
        all.add(fields(message, form));
      }
    }
    return all;
  }

  /** Results that belong to the message of their calls. */
  private static void respond(Map<String, @Nullable Object> caller, ChatMessage result) {
    List<@Nullable Object> responses =
        caller.get("tool_responses") instanceof List<?> list
            ? new ArrayList<@Nullable Object>(list)
            : new ArrayList<>();
    Map<String, @Nullable Object> response = new LinkedHashMap<>();
    response.put("name", result.more().get("name"));
    response.put("response", result.content());
    responses.add(response);
    caller.put("tool_responses", responses);
  }

  private Map<String, @Nullable Object> fields(ChatMessage message, Form form) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("role", message.role());
    if (!message.reasoning().isEmpty()) {
      fields.put(reasoning(), message.reasoning());
    }
    String words = message.content();
    fields.put("content", words.isEmpty() && calls(message) ? form.noWords() : words);
    if (calls(message)) {
      fields.put(
          "tool_calls", message.toolCalls().stream().map(call -> fields(call, form)).toList());
    }
    message.toolCallId().ifPresent(id -> fields.put("tool_call_id", id));
    fields.putAll(message.more());
    return fields;
  }

  private static boolean calls(ChatMessage message) {
    return !message.toolCalls().isEmpty();
  }

  private static Map<String, @Nullable Object> fields(ToolCall call, Form form) {
    Map<String, @Nullable Object> fields = call.fields();
    if (form.text()) {
      Map<String, @Nullable Object> function = new LinkedHashMap<>();
      function.put("name", call.name());
      function.put("arguments", call.arguments());
      fields.put("function", function);
    }
    return fields;
  }

  /** What this template calls an assistant's thoughts. */
  private String reasoning() {
    if (source.contains("reasoning_content")) {
      return "reasoning_content";
    }
    if (THINKING.matcher(source).find()) {
      return "thinking";
    }
    return REASONING.matcher(source).find() ? "reasoning" : "reasoning_content";
  }

  private Form form() {
    Form known = form;
    if (known == null) {
      known = probed();
      form = known;
    }
    return known;
  }

  /** The first form in which a call is shown whole, as JSON or in the template's own words. */
  private Form probed() {
    for (boolean text : new boolean[] {false, true}) {
      for (String noWords : new @Nullable String[] {"", null}) {
        Form each = new Form(noWords, text);
        String shown = shown(probe(each));
        if (shown.contains("probe_call")
            && shown.contains("probe_key")
            && !shown.contains("'probe_key'")
            && !shown.contains("\\\"probe_key")
            && !shown.contains("None")) {
          return each;
        }
      }
    }
    return new Form("", false);
  }

  private Map<String, @Nullable Object> probe(Form each) {
    ToolCall call = new ToolCall("call00000", "probe_call", "{\"probe_key\": \"probe value\"}");
    ChatMessage result = result(ChatMessage.tool("call00000", "1"), call);
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put(
        "messages",
        fields(
            List.of(ChatMessage.user("a"), ChatMessage.assistant("", List.of(call)), result),
            each));
    values.put(
        "tools",
        List.of(Tool.of("probe", "", "{\"type\": \"object\", \"properties\": {}}").fields()));
    return values;
  }

  /** Whether there may be a system message. */
  private boolean takesSystem() {
    Boolean known = system;
    if (known == null) {
      Map<String, @Nullable Object> values = new LinkedHashMap<>();
      values.put(
          "messages",
          fields(
              List.of(ChatMessage.system("probe_text"), ChatMessage.user("a")),
              new Form("", false)));
      known = shown(values).contains("probe_text");
      system = known;
    }
    return known;
  }

  /** Nothing where the template refuses. */
  private String shown(Map<String, @Nullable Object> values) {
    try {
      return render.apply(values);
    } catch (ModelException e) {
      if (!(e.getCause() instanceof TemplateException) || Thread.currentThread().isInterrupted()) {
        throw e;
      }
      return "";
    }
  }

  /** All templates, for whoever reads what comes back. */
  String source() {
    return source;
  }
}
