package dev.semantic.generate;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What a model may ask to have used: a name, what it is for, and which arguments it takes. */
public final class Tool {
  private final Map<String, @Nullable Object> fields;
  private final Map<?, ?> function;

  private Tool(Map<String, @Nullable Object> fields, Map<?, ?> function) {
    this.fields = fields;
    this.function = function;
  }

  /**
   * A tool.
   *
   * @param parameters a JSON schema of the arguments, which are an object
   * @throws IllegalArgumentException if the name is blank, or the schema is no JSON object
   */
  public static Tool of(String name, String description, String parameters) {
    Map<String, @Nullable Object> function = new LinkedHashMap<>();
    function.put("name", name);
    function.put("description", description);
    function.put("parameters", JsonValues.object(parameters, "the parameters of " + name));
    return of(function);
  }

  /**
   * A tool as OpenAI's interface writes it: {@code {"type": "function", "function": {"name": …,
   * "description": …, "parameters": …}}}, or without the {@code function} around. Templates are
   * given all of it, whatever else it says.
   *
   * @throws IllegalArgumentException if that is no tool
   */
  public static Tool of(Map<String, ? extends @Nullable Object> fields) {
    Map<String, @Nullable Object> all = JsonValues.map(fields, "tool");
    if (!(all.get("function") instanceof Map<?, ?>)) {
      Map<String, @Nullable Object> around = new LinkedHashMap<>();
      around.put("type", "function");
      around.put("function", all);
      all = JsonValues.map(around, "tool");
    }
    Map<?, ?> function = (Map<?, ?>) Objects.requireNonNull(all.get("function"));
    if (!(function.get("name") instanceof String name) || name.isBlank()) {
      throw new IllegalArgumentException(
          "a tool's name must be a text; it is " + JsonValues.kind(function.get("name")));
    }
    Object schema = function.get("parameters");
    if (schema != null && !(schema instanceof Map<?, ?>)) {
      throw new IllegalArgumentException(
          "the parameters of the tool %s must be a JSON schema, an object; they are %s"
              .formatted(name, JsonValues.kind(schema)));
    }
    return new Tool(all, function);
  }

  public String name() {
    return String.valueOf(function.get("name"));
  }

  /** Empty where there is none. */
  public String description() {
    return function.get("description") instanceof String text ? text : "";
  }

  /** A JSON schema of the arguments; of any object where none was given. */
  public String parameters() {
    Object schema = function.get("parameters");
    return schema == null ? "{\"type\":\"object\"}" : JsonValues.write(schema);
  }

  /**
   * Whether its arguments must be what the schema describes, also where the model may call it or
   * not: {@code "strict": true} beside the name.
   */
  public boolean isStrict() {
    return Boolean.TRUE.equals(function.get("strict"));
  }

  /** All of it, as {@link #of(Map)} reads it, with the {@code function} around. */
  public Map<String, @Nullable Object> fields() {
    return fields;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Tool tool && tool.fields.equals(fields);
  }

  @Override
  public int hashCode() {
    return fields.hashCode();
  }

  @Override
  public String toString() {
    return "Tool[" + name() + "]";
  }
}
