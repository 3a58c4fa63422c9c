package dev.semantic.engine;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.semantic.generate.Constraint;
import dev.semantic.generate.Constraint.StructuralTags;
import dev.semantic.generate.Constraint.Tag;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.generate.Tool;
import dev.semantic.generate.ToolChoice;
import dev.semantic.spi.AnswerFormat;
import dev.semantic.spi.AnswerFormat.CallSyntax;
import java.util.List;
import java.util.Optional;

/**
 * What makes a model call a tool where the choice requires it, and write arguments that fit where
 * it does: its answers are held to the family's own way to write calls.
 */
final class ToolCallConstraint {
  private static final String ANY_OBJECT = "{\"type\":\"object\"}";

  /** What may say more of the same object. */
  private static final List<String> COMBINED = List.of("$ref", "anyOf", "oneOf", "allOf");

  private static final List<String> OPEN = List.of("additionalProperties", "patternProperties");

  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS).build();

  private ToolCallConstraint() {}

  /**
   * Of a conversation.
   *
   * @param prompt its tokens
   * @return none where the model may call or not, and no tool is strict
   * @throws RequestException if the model's calls, or a tool's schema, can't be enforced
   */
  static Optional<Constraint> of(Prompt.Chat chat, int[] prompt, ServingModel serving) {
    ToolChoice choice = chat.choice();
    boolean required = choice.isRequired();
    if (choice.equals(ToolChoice.NONE)
        || (!required && chat.tools().stream().noneMatch(Tool::isStrict))) {
      return Optional.empty();
    }
    boolean named = choice.kind() == ToolChoice.Kind.NAMED;
    List<Tag> tags =
        chat.tools().stream()
            .filter(tool -> !named || tool.name().equals(choice.tool()))
            .map(tool -> tag(tool, required, serving))
            .toList();
    String after =
        required
            ? serving.format().thoughtsEnd(AnswerReader.end(prompt, serving.text().detokenizer()))
            : "";
    return Optional.of(new StructuralTags(tags, required, named ? 1 : Integer.MAX_VALUE, after));
  }

  private static Tag tag(Tool tool, boolean required, ServingModel serving) {
    AnswerFormat format = serving.format();
    CallSyntax syntax =
        format
            .callSyntax(tool.name(), serving.text().chatTemplate())
            .orElseThrow(
                () ->
                    refusal(
                        "%s writes the arguments of calls in a way that can't be enforced (%s): let the choice be auto or none, and no tool strict"
                            .formatted(serving.model().spec().id(), format.name())));
    String schema = required || tool.isStrict() ? arguments(tool) : ANY_OBJECT;
    try {
      return new Tag(syntax.trigger(), syntax.before(), schema, syntax.behind());
    } catch (IllegalArgumentException e) {
      throw refusal("Calls of the tool %s: %s".formatted(tool.name(), e.getMessage()));
    }
  }

  /**
   * An object, and of what it lists nothing else: a schema that does not say whether it may have
   * more would let a small model go on for ever.
   */
  private static String arguments(Tool tool) {
    try {
      ObjectNode schema = (ObjectNode) JSON.readTree(tool.parameters());
      if (COMBINED.stream().noneMatch(schema::has)) {
        if (!schema.has("type")) {
          schema.put("type", "object");
        }
        if (schema.has("properties") && OPEN.stream().noneMatch(schema::has)) {
          schema.put("additionalProperties", false);
        }
      }
      return JSON.writeValueAsString(schema);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A tool's parameters are an object", e);
    }
  }

  private static RequestException refusal(String why) {
    return new RequestException(RequestException.Kind.INVALID, why);
  }
}
