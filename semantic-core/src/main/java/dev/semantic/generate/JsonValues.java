package dev.semantic.generate;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** JSON as plain values: texts, numbers, truth values, null, lists, and maps by text. */
final class JsonValues {
  /** A text is as long as whoever asks wants it to be; of two members of one name none is meant. */
  private static final ObjectMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  /** Beyond it nothing is read, written or copied. */
  private static final int DEEPEST = 500;

  private JsonValues() {}

  /**
   * A JSON object.
   *
   * @param what it is, for messages: "the arguments of add"
   * @throws IllegalArgumentException if it is none, with the place where it ceases to be one
   */
  static Map<String, @Nullable Object> object(String json, String what) {
    Object value;
    try {
      value = MAPPER.readValue(json, Object.class);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "%s are no JSON: %s%s".formatted(capital(what), e.getOriginalMessage(), place(e)), e);
    }
    if (!(value instanceof Map<?, ?> map)) {
      throw new IllegalArgumentException(
          "%s must be a JSON object like {\"city\": \"Bern\"}; they are %s"
              .formatted(capital(what), kind(value)));
    }
    return map(map, what);
  }

  private static String place(JsonProcessingException e) {
    return e.getLocation() == null
        ? ""
        : " (line %d, column %d)"
            .formatted(e.getLocation().getLineNr(), e.getLocation().getColumnNr());
  }

  static String capital(String what) {
    return Character.toUpperCase(what.charAt(0)) + what.substring(1);
  }

  static String write(@Nullable Object value) {
    try {
      return MAPPER.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("No JSON can be made of " + kind(value), e);
    }
  }

  /**
   * A copy that nobody can change.
   *
   * @throws IllegalArgumentException if there is something else in it than plain values
   */
  static Map<String, @Nullable Object> map(Map<?, ?> map, String what) {
    return map(map, what, 0);
  }

  private static Map<String, @Nullable Object> map(Map<?, ?> map, String what, int depth) {
    Map<String, @Nullable Object> copy = new LinkedHashMap<>();
    map.forEach(
        (name, value) -> {
          if (!(name instanceof String text)) {
            throw new IllegalArgumentException(
                "%s: a name must be a text, not %s".formatted(what, kind(name)));
          }
          copy.put(text, value(value, what + "." + text, depth + 1));
        });
    return Collections.unmodifiableMap(copy);
  }

  private static @Nullable Object value(@Nullable Object value, String what, int depth) {
    if (depth > DEEPEST) {
      throw new IllegalArgumentException("%.200s… is nested too deeply".formatted(what));
    }
    if (value == null
        || value instanceof String
        || value instanceof Boolean
        || value instanceof Number) {
      return value;
    }
    if (value instanceof Map<?, ?> map) {
      return map(map, what, depth);
    }
    if (value instanceof List<?> list) {
      List<@Nullable Object> copy = new ArrayList<>(list.size());
      for (Object each : list) {
        copy.add(value(each, "%s[%d]".formatted(what, copy.size()), depth + 1));
      }
      return Collections.unmodifiableList(copy);
    }
    throw new IllegalArgumentException(
        "%s is %s; there may be texts, numbers, truth values, null, lists and maps"
            .formatted(what, value.getClass().getName()));
  }

  /** For messages. */
  static String kind(@Nullable Object value) {
    if (value == null) {
      return "null";
    }
    if (value instanceof String) {
      return "a text";
    }
    if (value instanceof Boolean) {
      return "a truth value";
    }
    if (value instanceof Number) {
      return "a number";
    }
    if (value instanceof List<?>) {
      return "a list";
    }
    return value instanceof Map<?, ?> ? "an object" : value.getClass().getName();
  }
}
