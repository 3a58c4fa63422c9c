package dev.semantic.generate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.semantic.log.Log;
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;

/**
 * Whether a JSON schema can be enforced to the letter: every keyword that constrains is one of
 * those that are, each has a value of its kind, references lead somewhere and not in circles, and
 * what it describes can end. {@code docs/constraints.md} has the table.
 */
final class SchemaCheck {
  private static final Log LOG = Log.of(SchemaCheck.class);

  /** How deep the schema's JSON may be nested. */
  private static final int DEEPEST = 200;

  /** How many words that don't constrain are remembered as told. */
  private static final int MOST_TOLD = 1000;

  /** Multiples of a greater number (without trailing zeros) take seconds to compile. */
  private static final BigDecimal MOST_OF_MULTIPLE = BigDecimal.valueOf(1000);

  private static final int MOST_DIGITS_OF_MULTIPLE = 6;

  private static final Set<String> TYPES =
      Set.of("null", "boolean", "object", "array", "number", "string", "integer");

  private static final Set<String> FORMATS =
      Set.of(
          "date-time",
          "time",
          "date",
          "duration",
          "email",
          "hostname",
          "ipv4",
          "ipv6",
          "uuid",
          "uri");

  /** Of the standard, constraining, and not enforced. */
  private static final Set<String> NOT_ENFORCED =
      Set.of(
          "not",
          "if",
          "then",
          "else",
          "contains",
          "minContains",
          "maxContains",
          "uniqueItems",
          "dependencies",
          "dependentRequired",
          "dependentSchemas",
          "propertyNames",
          "unevaluatedItems",
          "unevaluatedProperties",
          "extends",
          "disallow",
          "divisibleBy",
          "$dynamicRef",
          "$dynamicAnchor",
          "$recursiveRef",
          "$recursiveAnchor",
          "$vocabulary");

  /** What says where a schema is, or what it is in. */
  private static final Set<String> META = Set.of("$schema", "$comment", "$defs", "definitions");

  /** Where subschemas are: by name. */
  private static final Set<String> BY_NAME =
      Set.of("properties", "patternProperties", "$defs", "definitions");

  private static final Set<String> LISTS = Set.of("anyOf", "allOf", "oneOf", "prefixItems");

  private static final Set<String> COUNTS =
      Set.of("minItems", "maxItems", "minProperties", "maxProperties", "minLength", "maxLength");

  private static final Set<String> NUMBERS =
      Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf");

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .build();

  static {
    JSON.getFactory()
        .setStreamReadConstraints(
            StreamReadConstraints.builder().maxNestingDepth(DEEPEST).maxNumberLength(100).build());
  }

  private static final Set<String> TOLD = ConcurrentHashMap.newKeySet();

  private final Map<String, JsonNode> schemas = new LinkedHashMap<>(); // by where they are
  private final Map<String, String> words = new LinkedHashMap<>(); // that don't constrain

  private SchemaCheck() {}

  /**
   * Checks one.
   *
   * @throws IllegalArgumentException naming the keyword and where it stands
   */
  static void check(String schema) {
    SchemaCheck check = new SchemaCheck();
    check.visit("#", parse(schema));
    SchemaReferences.check(check.schemas);
    check.tell();
  }

  private static JsonNode parse(String schema) {
    try {
      JsonNode node = JSON.readTree(schema);
      if (node == null || !(node.isObject() || node.isBoolean())) {
        throw new IllegalArgumentException("A JSON schema is an object, true or false");
      }
      return node;
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("The schema is not JSON: " + e.getOriginalMessage(), e);
    }
  }

  /** Below a schema: each subschema, and where it stands. */
  static void forEachSubschema(String at, JsonNode schema, BiConsumer<String, JsonNode> visitor) {
    for (Map.Entry<String, JsonNode> each : schema.properties()) {
      String place = at + "/" + escaped(each.getKey());
      JsonNode value = each.getValue();
      switch (each.getKey()) {
        case "properties", "patternProperties", "$defs", "definitions" ->
            value
                .properties()
                .forEach(
                    one -> visitor.accept(place + "/" + escaped(one.getKey()), one.getValue()));
        case "anyOf",
            "allOf",
            "oneOf",
            "prefixItems",
            "items",
            "additionalItems",
            "additionalProperties" -> {
          if (value.isArray()) {
            for (int i = 0; i < value.size(); i++) {
              visitor.accept(place + "/" + i, value.get(i));
            }
          } else {
            visitor.accept(place, value);
          }
        }
        default -> {}
      }
    }
  }

  /** As JSON pointers have it (RFC 6901). */
  private static String escaped(String name) {
    return name.replace("~", "~0").replace("/", "~1");
  }

  private void visit(String at, JsonNode schema) {
    if (!schema.isObject() && !schema.isBoolean()) {
      throw refusal(at, "a schema is an object, true or false, not " + schema.getNodeType());
    }
    schema.properties().forEach(each -> check(at, each.getKey(), each.getValue()));
    schemas.put(at, schema);
    forEachSubschema(at, schema, this::visit);
  }

  private void check(String at, String keyword, JsonNode value) {
    String place = at + "/" + keyword;
    if (BY_NAME.contains(keyword)) {
      require(value.isObject(), place, "an object");
    } else if (LISTS.contains(keyword)) {
      require(value.isArray() && !value.isEmpty(), place, "a list of schemas, not empty");
    } else if (COUNTS.contains(keyword)) {
      require(isCount(value), place, "a whole number from 0 on");
    } else if (NUMBERS.contains(keyword)) {
      require(value.isNumber(), place, "a number");
      if (keyword.equals("multipleOf")) {
        checkMultiple(place, value.decimalValue());
      }
    } else {
      checkOther(place, keyword, value);
    }
  }

  private void checkOther(String place, String keyword, JsonNode value) {
    switch (keyword) {
      case "type" -> checkTypes(place, value);
      case "enum" -> require(value.isArray() && !value.isEmpty(), place, "a list, not empty");
      case "const", "items", "additionalItems", "additionalProperties" -> {}
      case "required" -> require(value.isArray() && allText(value), place, "a list of names");
      case "pattern" -> require(value.isTextual(), place, "a regular expression");
      case "format" ->
          require(
              FORMATS.contains(value.asText()),
              place,
              "one of " + FORMATS.stream().sorted().toList());
      case "$ref" ->
          require(
              value.asText().equals("#") || value.asText().startsWith("#/"),
              place,
              "a reference within the schema: # or #/…");
      case "$id", "id", "$anchor" -> {} // references are by place alone
      default -> {
        boolean harmless = keyword.equals("uniqueItems") && value.isBoolean() && !value.asBoolean();
        if (NOT_ENFORCED.contains(keyword) && !harmless) {
          throw refusal(
              place, "this keyword can't be enforced; leave it away, or say it in others");
        }
        if (!META.contains(keyword)) {
          words.putIfAbsent(keyword, place);
        }
      }
    }
  }

  private static void checkTypes(String place, JsonNode value) {
    List<JsonNode> types = value.isArray() ? value.valueStream().toList() : List.of(value);
    require(!types.isEmpty(), place, "one type or more");
    for (JsonNode type : types) {
      require(
          TYPES.contains(type.asText()),
          place,
          "one of %s, not %s".formatted(TYPES.stream().sorted().toList(), type));
    }
  }

  private static void checkMultiple(String place, BigDecimal of) {
    BigDecimal plain = of.stripTrailingZeros();
    require(
        plain.signum() > 0
            && plain.scale() <= MOST_DIGITS_OF_MULTIPLE
            && new BigDecimal(plain.unscaledValue()).compareTo(MOST_OF_MULTIPLE) <= 0,
        place,
        "more than 0, and at most 1000 when its point and its last zeros are left away; it is "
            + of);
  }

  private static boolean isCount(JsonNode value) {
    return value.isNumber()
        && value.decimalValue().stripTrailingZeros().scale() <= 0
        && value.decimalValue().signum() >= 0;
  }

  private static boolean allText(JsonNode list) {
    return list.valueStream().allMatch(JsonNode::isTextual);
  }

  private static void require(boolean holds, String place, String what) {
    if (!holds) {
      throw refusal(place, "must be " + what);
    }
  }

  static IllegalArgumentException refusal(String place, String why) {
    return new IllegalArgumentException(
        "The schema can't be enforced: %s: %s".formatted(place, why));
  }

  /** Each word once in the life of the process: hosts send the same schemas all day. */
  private void tell() {
    words.keySet().removeIf(word -> TOLD.size() >= MOST_TOLD || !TOLD.add(word));
    if (!words.isEmpty()) {
      LOG.info("Words of a schema that don't constrain: {}", words.keySet());
    }
  }
}
