package dev.semantic.mlx.grammar;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.semantic.generate.Constraint;
import dev.semantic.generate.Constraint.Tag;
import dev.semantic.spi.Detokenizer;
import dev.semantic.spi.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A constraint as llguidance reads it.
 *
 * @param type which of its languages it is in
 */
record GrammarText(String type, String text) {
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS).build();

  static GrammarText of(Constraint constraint, Tokenizer tokenizer) {
    return switch (constraint) {
      case Constraint.JsonSchema(String schema) -> new GrammarText("json_schema", compact(schema));
      case Constraint.AnyJson() -> new GrammarText("json_schema", compact("true"));
      case Constraint.Regex(String pattern) -> new GrammarText("regex", pattern);
      case Constraint.Lark(String grammar) -> new GrammarText("lark", grammar);
      case Constraint.StructuralTags tags ->
          new GrammarText("lark", lark(tags, specials(tokenizer.detokenizer())));
    };
  }

  /**
   * The schema, without white space between the parts of what it describes: a model whose tokens
   * are drawn at random would write nothing else.
   */
  private static String compact(String schema) {
    try {
      JsonNode root = JSON.readTree(schema);
      if (root.isBoolean() && !root.asBoolean()) {
        return schema; // which nothing satisfies, and is refused
      }
      ObjectNode compact = root instanceof ObjectNode object ? object : JSON.createObjectNode();
      SchemaFormats.spellOut(compact);
      compact.putObject("x-guidance").put("whitespace_flexible", false);
      return JSON.writeValueAsString(compact);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("The schema is not JSON: " + e.getOriginalMessage(), e);
    }
  }

  /** Free text up to a trigger, then one of the tags that begin with it, and so on. */
  private static String lark(Constraint.StructuralTags tags, Map<String, Integer> specials) {
    Map<String, List<Tag>> byTrigger =
        tags.tags().stream()
            .collect(Collectors.groupingBy(Tag::trigger, LinkedHashMap::new, Collectors.toList()));
    StringBuilder rules = new StringBuilder("%llguidance {}\nTEXT: /(.|\\n)*/\n");
    String any =
        IntStream.range(0, byTrigger.size())
            .mapToObj(i -> "tag_" + i)
            .collect(Collectors.joining(" | ", "(", ")"));
    String after = upTo(rules, "after", tags.after(), specials);
    rules.append("start: ").append(after).append(after.isEmpty() ? "" : " /\\s{0,2}/ ");
    rules.append(any).append(times(tags)).append(tags.required() ? "\n" : " TEXT\n");
    int i = 0;
    for (Map.Entry<String, List<Tag>> group : byTrigger.entrySet()) {
      String trigger = group.getKey();
      String before =
          tags.required()
              ? literal(trigger, specials)
              : upTo(rules, "until_" + i, trigger, specials);
      String bodies =
          group.getValue().stream()
              .map(
                  tag ->
                      "%s %%json %s %s"
                          .formatted(
                              literal(tag.begin().substring(trigger.length()), specials),
                              compact(tag.schema()),
                              literal(tag.end(), specials)))
              .collect(Collectors.joining(" | "));
      rules.append("tag_%d: %s (%s)\n".formatted(i++, before, bodies));
    }
    return rules.toString();
  }

  private static String times(Constraint.StructuralTags tags) {
    int least = tags.required() ? 1 : 0;
    return tags.most() == Integer.MAX_VALUE
        ? "{%d,}".formatted(least)
        : "{%d,%d}".formatted(least, tags.most());
  }

  /** Free text up to some that ends it, which may need a rule of its own; nothing for none. */
  private static String upTo(
      StringBuilder rules, String rule, String end, Map<String, Integer> specials) {
    if (end.isEmpty()) {
      return "";
    }
    if (specials.containsKey(end)) {
      return "TEXT " + literal(end, specials);
    }
    rules.append("%s[lazy]: /(.|\\n)*/ %s\n".formatted(rule, quoted(end)));
    return rule;
  }

  /** Text in which special tokens stand for themselves. */
  private static String literal(String text, Map<String, Integer> specials) {
    List<String> parts = new ArrayList<>();
    int from = 0;
    int at = 0;
    while (at < text.length()) {
      Optional<String> found = startingAt(text, at, specials);
      if (found.isEmpty()) {
        at++;
      } else {
        parts.add(quoted(text.substring(from, at)));
        parts.add("<[%d]>".formatted(specials.get(found.get())));
        at += found.get().length();
        from = at;
      }
    }
    parts.add(quoted(text.substring(from)));
    return parts.stream().filter(part -> !part.isEmpty()).collect(Collectors.joining(" "));
  }

  /** The longest special token that stands there. */
  private static Optional<String> startingAt(String text, int at, Map<String, Integer> specials) {
    return specials.keySet().stream()
        .filter(special -> text.startsWith(special, at))
        .max(Comparator.comparingInt(String::length));
  }

  /** As Lark quotes; empty for nothing. */
  private static String quoted(String text) {
    try {
      return text.isEmpty() ? "" : JSON.writeValueAsString(text);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("Not Unicode: " + text, e);
    }
  }

  /** Special tokens by their text. */
  private static Map<String, Integer> specials(Detokenizer table) {
    byte[] bytes = table.bytes();
    int[] ends = table.ends();
    Map<String, Integer> specials = new HashMap<>();
    table.special().stream()
        .forEach(
            token -> {
              int from = token == 0 ? 0 : ends[token - 1];
              String text = new String(bytes, from, ends[token] - from, StandardCharsets.UTF_8);
              specials.put(text, token);
            });
    specials.remove("");
    return specials;
  }
}
