package dev.semantic.generate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One message of a conversation. Immutable.
 *
 * @param role who says it: {@code system}, {@code developer}, {@code user}, {@code assistant},
 *     {@code tool}, or another that the model's template knows
 * @param parts what is said, in order
 * @param reasoning what the assistant thought before it said that; no part of it
 * @param toolCalls what the assistant wants done
 * @param toolCallId of a tool's result: the call that it answers; without, the first that has none
 * @param more further fields for templates that know them: a {@code name}, say; plain values
 */
public record ChatMessage(
    String role,
    List<ContentPart> parts,
    String reasoning,
    List<ToolCall> toolCalls,
    Optional<String> toolCallId,
    Map<String, @Nullable Object> more) {
  /** What assistants think goes by many names; this one is written. */
  private static final String REASONING = "reasoning_content";

  /**
   * Copies.
   *
   * @throws IllegalArgumentException if somebody else than the assistant calls tools, or than a
   *     tool answers a call
   */
  public ChatMessage {
    Objects.requireNonNull(role, "role must not be null");
    Objects.requireNonNull(reasoning, "reasoning must not be null");
    parts = List.copyOf(parts);
    toolCalls = List.copyOf(toolCalls);
    more = JsonValues.map(more, role);
    if (!toolCalls.isEmpty() && !role.equals("assistant")) {
      throw new IllegalArgumentException(
          "tool calls are the assistant's; this message has the role '%s'".formatted(role));
    }
    if (toolCallId.isPresent() && !role.equals("tool")) {
      throw new IllegalArgumentException(
          "tool_call_id belongs to a message of the role 'tool'; this one has '%s'"
              .formatted(role));
    }
    long names = toolCalls.stream().map(ToolCall::id).filter(id -> !id.isEmpty()).count();
    if (names
        != toolCalls.stream().map(ToolCall::id).filter(id -> !id.isEmpty()).distinct().count()) {
      throw new IllegalArgumentException(
          "two of its tool calls have the same id: "
              + toolCalls.stream().map(ToolCall::id).toList());
    }
  }

  /** Words, and nothing else. */
  public ChatMessage(String role, String content) {
    this(role, List.of(new ContentPart.Text(content)), "", List.of(), Optional.empty(), Map.of());
  }

  public static ChatMessage system(String content) {
    return new ChatMessage("system", content);
  }

  public static ChatMessage developer(String content) {
    return new ChatMessage("developer", content);
  }

  public static ChatMessage user(String content) {
    return new ChatMessage("user", content);
  }

  public static ChatMessage assistant(String content) {
    return new ChatMessage("assistant", content);
  }

  /** What the assistant said and wants done. */
  public static ChatMessage assistant(String content, List<ToolCall> calls) {
    return new ChatMessage(
        "assistant", List.of(new ContentPart.Text(content)), "", calls, Optional.empty(), Map.of());
  }

  /**
   * What came of a call.
   *
   * @param call its {@link ToolCall#id}
   */
  public static ChatMessage tool(String call, String content) {
    return new ChatMessage(
        "tool", List.of(new ContentPart.Text(content)), "", List.of(), Optional.of(call), Map.of());
  }

  /** The same with what was thought before. */
  public ChatMessage withReasoning(String value) {
    return new ChatMessage(role, parts, value, toolCalls, toolCallId, more);
  }

  /** The words of it, one part behind the other. */
  public String content() {
    return parts.stream()
        .map(part -> part instanceof ContentPart.Text(String text) ? text : "")
        .collect(Collectors.joining());
  }

  /**
   * A message as OpenAI's interface writes it: {@code role}, {@code content} (a text, or a list of
   * parts; none beside {@code tool_calls}), {@code tool_calls}, {@code tool_call_id}, {@code
   * reasoning_content} (or {@code reasoning}, or {@code thinking}), and any others.
   *
   * @throws IllegalArgumentException if that is no message
   */
  public static ChatMessage of(Map<String, ? extends @Nullable Object> fields) {
    Map<String, @Nullable Object> left = new LinkedHashMap<>(fields);
    if (!(left.remove("role") instanceof String role)) {
      throw new IllegalArgumentException("role must be a string");
    }
    List<ToolCall> calls = calls(left.remove("tool_calls"));
    Object said = left.remove("content");
    boolean empty = said == null && role.equals("assistant") && !calls.isEmpty();
    List<ContentPart> parts = empty ? List.of() : parts(said);
    String reasoning = "";
    for (String name : List.of(REASONING, "reasoning", "thinking")) {
      if (left.get(name) instanceof String text) {
        reasoning = reasoning.isEmpty() ? text : reasoning;
        left.remove(name);
      }
    }
    Object id = left.remove("tool_call_id");
    if (id != null && !(id instanceof String)) {
      throw new IllegalArgumentException("tool_call_id must be a string");
    }
    return new ChatMessage(role, parts, reasoning, calls, Optional.ofNullable((String) id), left);
  }

  private static List<ToolCall> calls(@Nullable Object said) {
    if (said != null && !(said instanceof List<?>)) {
      throw new IllegalArgumentException("tool_calls must be a list");
    }
    List<ToolCall> calls = new ArrayList<>();
    for (Object each : said instanceof List<?> list ? list : List.of()) {
      String place = "tool call " + (calls.size() + 1);
      if (!(each instanceof Map<?, ?> map)) {
        throw new IllegalArgumentException(place + " must be an object");
      }
      try {
        calls.add(ToolCall.of(JsonValues.map(map, place)));
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException("%s: %s".formatted(place, e.getMessage()), e);
      }
    }
    return calls;
  }

  private static List<ContentPart> parts(@Nullable Object said) {
    if (said instanceof String text) {
      return List.of(new ContentPart.Text(text));
    }
    if (!(said instanceof List<?> list)) {
      throw new IllegalArgumentException("content must be a string, or a list of parts");
    }
    List<ContentPart> parts = new ArrayList<>();
    for (Object each : list) {
      parts.add(part(each, parts.size() + 1));
    }
    return parts;
  }

  private static ContentPart part(@Nullable Object each, int number) {
    if (each instanceof String text) {
      return new ContentPart.Text(text);
    }
    if (each instanceof Map<?, ?> part) {
      String type = String.valueOf(part.get("type"));
      Object inside = part.get(type);
      if (type.equals("text") && inside instanceof String text) {
        return new ContentPart.Text(text);
      }
      String url = inside instanceof Map<?, ?> map ? String.valueOf(map.get("url")) : "";
      url = inside instanceof String text ? text : url;
      if (type.equals("image") || type.equals("image_url")) {
        return new ContentPart.Image(url);
      }
      if (type.equals("audio") || type.equals("audio_url") || type.equals("input_audio")) {
        return new ContentPart.Audio(url);
      }
    }
    throw new IllegalArgumentException(
        "part %d of content must be {\"type\": \"text\", \"text\": …}, an image_url or an input_audio"
            .formatted(number));
  }

  /** As {@link #of} reads it; only what there is. */
  public Map<String, @Nullable Object> fields() {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("role", role);
    if (!reasoning.isEmpty()) {
      fields.put(REASONING, reasoning);
    }
    boolean words = parts.stream().allMatch(ContentPart.Text.class::isInstance);
    fields.put("content", words ? content() : parts.stream().map(ChatMessage::fields).toList());
    if (!toolCalls.isEmpty()) {
      fields.put("tool_calls", toolCalls.stream().map(ToolCall::fields).toList());
    }
    toolCallId.ifPresent(id -> fields.put("tool_call_id", id));
    fields.putAll(more);
    return fields;
  }

  private static Map<String, @Nullable Object> fields(ContentPart part) {
    if (part instanceof ContentPart.Text(String text)) {
      return Map.of("type", "text", "text", text);
    }
    if (part instanceof ContentPart.Image(String url)) {
      return Map.of("type", "image", "image", url);
    }
    return Map.of("type", "audio", "audio", ((ContentPart.Audio) part).url());
  }
}
