package dev.semantic.mlx.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;

/**
 * Dates and times that there are: llguidance knows their shape (RFC 3339), by which the 29th of
 * February comes in every year and a 60th second at any time. Offsets are those in use, from -12:00
 * to +14:00.
 */
final class SchemaFormats {
  private static final String LEAP_YEAR =
      "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)";
  private static final String DATE =
      "(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
          + "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))|"
          + LEAP_YEAR
          + "-02-29)";
  private static final String TIME =
      "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?"
          + "(?:Z|\\+(?:0[0-9]|1[0-3]):[0-5][0-9]|\\+14:00"
          + "|-(?:0[1-9]|1[01]):[0-5][0-9]|-00:(?:0[1-9]|[1-5][0-9])|-12:00)";

  private static final Map<String, String> PATTERNS =
      Map.of(
          "date", "^" + DATE + "$",
          "time", "^" + TIME + "$",
          "date-time", "^" + DATE + "T" + TIME + "$");

  private static final List<String> BY_NAME =
      List.of("properties", "patternProperties", "$defs", "definitions");
  private static final List<String> SUBSCHEMAS =
      List.of(
          "anyOf",
          "allOf",
          "oneOf",
          "prefixItems",
          "items",
          "additionalItems",
          "additionalProperties");

  private SchemaFormats() {}

  /** Says it in patterns, in a schema and all below it. */
  static void spellOut(JsonNode schema) {
    if (!(schema instanceof ObjectNode object)) {
      return;
    }
    for (String keyword : BY_NAME) {
      object.path(keyword).forEach(SchemaFormats::spellOut);
    }
    for (String keyword : SUBSCHEMAS) {
      JsonNode below = object.path(keyword);
      if (below.isArray()) {
        below.forEach(SchemaFormats::spellOut);
      } else {
        spellOut(below);
      }
    }
    String pattern = PATTERNS.get(object.path("format").asText());
    if (pattern != null) {
      object.remove("format");
      if (object.has("pattern")) {
        object.withArray("allOf").addObject().put("pattern", pattern);
      } else {
        object.put("pattern", pattern);
      }
    }
  }
}
