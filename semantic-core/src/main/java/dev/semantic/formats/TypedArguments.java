package dev.semantic.formats;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.semantic.generate.Tool;
import java.util.List;

/**
 * Arguments that a model writes as texts, one by one: a tool's schema says what each of them is. A
 * text stays one where the schema says so, or where it is no JSON.
 */
final class TypedArguments {
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .build();

  private final JsonNode properties;
  private boolean first = true;

  /** For a call of one of these tools. */
  TypedArguments(List<Tool> tools, String name) {
    JsonNode found = JSON.missingNode();
    for (Tool tool : tools) {
      if (tool.name().equals(name)) {
        found = parsed(tool.parameters()).path("properties");
      }
    }
    properties = found;
  }

  private static JsonNode parsed(String json) {
    try {
      return JSON.readTree(json);
    } catch (JsonProcessingException e) {
      return JSON.missingNode();
    }
  }

  /** What one more argument adds to the JSON of all. */
  String next(String name, String value) {
    String begin = first ? "{" : ", ";
    first = false;
    return begin + TaggedParser.quoted(name) + ": " + json(name, value);
  }

  /** What ends it. */
  String end() {
    return first ? "{}" : "}";
  }

  private String json(String name, String value) {
    JsonNode schema = properties.path(name);
    boolean text = schema.path("type").asText().equals("string") || isTexts(schema.path("enum"));
    if (text) {
      return TaggedParser.quoted(value);
    }
    JsonNode parsed = parsed(value.strip());
    if (parsed.isMissingNode()) {
      String word = value.strip();
      return word.equals("True") || word.equals("False") || word.equals("None")
          ? word.equals("True") ? "true" : word.equals("False") ? "false" : "null"
          : TaggedParser.quoted(value);
    }
    return parsed.toString();
  }

  private static boolean isTexts(JsonNode values) {
    boolean all = !values.isEmpty();
    for (JsonNode value : values) {
      all &= value.isTextual();
    }
    return all;
  }
}
