package dev.semantic.generate;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Where a schema's references lead: to a schema, not in circles, not too far; and whether what they
 * describe can end.
 */
final class SchemaReferences {
  /** How many schemas may stand for the same value, one behind the other. */
  private static final int LONGEST_CHAIN = 100;

  private static final List<String> ALTERNATIVES = List.of("anyOf", "oneOf");

  private final Map<String, JsonNode> schemas;
  private final Map<String, Integer> depths = new HashMap<>(); // 0 while it is looked at
  private final Set<String> ending = new HashSet<>(); // those with a value that ends

  private SchemaReferences(Map<String, JsonNode> schemas) {
    this.schemas = schemas;
  }

  /**
   * Checks them.
   *
   * @param schemas by their JSON pointers, the whole one under {@code #}
   * @throws IllegalArgumentException naming the place
   */
  static void check(Map<String, JsonNode> schemas) {
    SchemaReferences references = new SchemaReferences(schemas);
    schemas.keySet().forEach(references::depth);
    references.findEnding();
    for (String at : references.reachable()) {
      if (!references.ending.contains(at)) {
        throw SchemaCheck.refusal(
            at, "what it describes never ends, as each value must hold another of the same");
      }
    }
  }

  /** Schemas that stand for the same value as this one: none of them may lead back. */
  private List<String> inPlace(String at) {
    JsonNode schema = schema(at);
    List<String> all = new ArrayList<>();
    if (schema.has("$ref")) {
      all.add(target(at, schema.get("$ref").asText()));
    }
    for (String keyword : List.of("anyOf", "oneOf", "allOf")) {
      for (int i = 0; i < schema.path(keyword).size(); i++) {
        all.add(at + "/" + keyword + "/" + i);
      }
    }
    return all;
  }

  private JsonNode schema(String at) {
    return Objects.requireNonNull(schemas.get(at), at);
  }

  private String target(String at, String reference) {
    String target = decoded(reference);
    if (!schemas.containsKey(target)) {
      throw SchemaCheck.refusal(at + "/$ref", "there is no schema at " + reference);
    }
    return target;
  }

  private static String decoded(String reference) {
    try {
      return URLDecoder.decode(reference.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return reference; // which leads nowhere
    }
  }

  /** The longest chain of schemas for one value that begins here. Never deeper than the limit. */
  private int depth(String at) {
    Integer known = depths.get(at);
    if (known != null) {
      if (known == 0) {
        throw SchemaCheck.refusal(at, "it refers to itself for the same value");
      }
      return known;
    }
    depths.put(at, 0);
    int deepest = 0;
    for (String next : inPlace(at)) {
      deepest = Math.max(deepest, depth(next));
    }
    if (deepest >= LONGEST_CHAIN) {
      throw SchemaCheck.refusal(
          at, "more than %d references and alternatives in a chain".formatted(LONGEST_CHAIN));
    }
    depths.put(at, deepest + 1);
    return deepest + 1;
  }

  /** Those that can end whatever others do, then those that need only these, and so on. */
  private void findEnding() {
    boolean more = true;
    while (more) {
      more = false;
      for (String at : schemas.keySet()) {
        more |= !ending.contains(at) && canEnd(at) && ending.add(at);
      }
    }
  }

  private boolean canEnd(String at) {
    JsonNode schema = schema(at);
    if (!schema.isObject() || schema.has("const") || schema.has("enum")) {
      return true;
    }
    for (String keyword : ALTERNATIVES) {
      if (schema.has(keyword) && inPlaceOf(at, keyword).stream().noneMatch(ending::contains)) {
        return false;
      }
    }
    boolean all = inPlaceOf(at, "allOf").stream().allMatch(ending::contains);
    boolean reference =
        !schema.has("$ref") || ending.contains(target(at, schema.get("$ref").asText()));
    return all
        && reference
        && (mayBe(schema, "scalar") || objectEnds(at, schema) || arrayEnds(at, schema));
  }

  private List<String> inPlaceOf(String at, String keyword) {
    return inPlace(at).stream().filter(each -> each.startsWith(at + "/" + keyword + "/")).toList();
  }

  private static boolean mayBe(JsonNode schema, String kind) {
    JsonNode type = schema.path("type");
    List<String> types =
        type.isArray()
            ? type.valueStream().map(JsonNode::asText).toList()
            : type.isMissingNode() ? List.of("object", "array", "string") : List.of(type.asText());
    return kind.equals("scalar")
        ? types.stream().anyMatch(one -> !one.equals("object") && !one.equals("array"))
        : types.contains(kind);
  }

  private boolean objectEnds(String at, JsonNode schema) {
    return mayBe(schema, "object")
        && schema
            .path("required")
            .valueStream()
            .map(name -> at + "/properties/" + name.asText().replace("~", "~0").replace("/", "~1"))
            .allMatch(place -> !schemas.containsKey(place) || ending.contains(place));
  }

  private boolean arrayEnds(String at, JsonNode schema) {
    int least = schema.path("minItems").asInt();
    if (!mayBe(schema, "array")) {
      return false;
    }
    for (int i = 0; i < Math.min(least, schema.path("prefixItems").size()); i++) {
      if (!ending.contains(at + "/prefixItems/" + i)) {
        return false;
      }
    }
    String items = at + "/items";
    return least <= schema.path("prefixItems").size()
        || !schemas.containsKey(items)
        || ending.contains(items);
  }

  /** All that the whole schema may need; definitions that nothing refers to are not. */
  private Set<String> reachable() {
    Set<String> seen = new HashSet<>();
    ArrayDeque<String> next = new ArrayDeque<>(List.of("#"));
    while (!next.isEmpty()) {
      String at = next.pop();
      if (seen.add(at)) {
        next.addAll(inPlace(at));
        SchemaCheck.forEachSubschema(
            at,
            schema(at),
            (place, sub) -> {
              if (!place.startsWith(at + "/$defs/") && !place.startsWith(at + "/definitions/")) {
                next.add(place);
              }
            });
      }
    }
    return seen;
  }
}
