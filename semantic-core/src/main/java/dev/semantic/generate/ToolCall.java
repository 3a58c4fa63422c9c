package dev.semantic.generate;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * That a model wants a tool used.
 *
 * @param id by which the tool's result names it; no other call of the same message has it
 * @param name of the tool
 * @param arguments a JSON object, as the model wrote it
 */
public record ToolCall(String id, String name, String arguments) {
  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException if they are no JSON object, or a name is blank
   */
  public ToolCall {
    Objects.requireNonNull(id, "id must not be null");
    if (Objects.requireNonNull(name, "name must not be null").isBlank()) {
      throw new IllegalArgumentException("A tool call needs the name of its tool");
    }
    JsonValues.object(arguments, "the arguments of " + name);
  }

  /** The arguments as plain values: texts, numbers, truth values, null, lists and maps. */
  public Map<String, @Nullable Object> values() {
    return JsonValues.object(arguments, "the arguments of " + name);
  }

  /**
   * A call as OpenAI's interface writes it: {@code {"id": …, "function": {"name": …, "arguments":
   * …}}}, or without the {@code function} around; the arguments are an object, or a text that is
   * one's JSON.
   *
   * @throws IllegalArgumentException if that is no call
   */
  public static ToolCall of(Map<String, ? extends @Nullable Object> fields) {
    Map<?, ?> function = fields.get("function") instanceof Map<?, ?> map ? map : fields;
    if (!(function.get("name") instanceof String name)) {
      throw new IllegalArgumentException(
          "a tool call's name must be a text; it is " + JsonValues.kind(function.get("name")));
    }
    Object said = function.get("arguments");
    String arguments =
        said == null || (said instanceof String text && text.isBlank())
            ? "{}"
            : said instanceof String text ? text : JsonValues.write(said);
    return new ToolCall(fields.get("id") instanceof String id ? id : "", name, arguments);
  }

  /** As {@link #of} reads it. */
  public Map<String, @Nullable Object> fields() {
    Map<String, @Nullable Object> function = new LinkedHashMap<>();
    function.put("name", name);
    function.put("arguments", values());
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("id", id);
    fields.put("type", "function");
    fields.put("function", function);
    return fields;
  }
}
