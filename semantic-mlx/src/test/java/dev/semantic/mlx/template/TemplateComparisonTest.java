package dev.semantic.mlx.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * What Python's jinja2 made of templates and values, against what we make of them: the same text,
 * or a refusal by both. {@code src/test/python} holds the programs that wrote the files.
 */
@Timeout(120)
class TemplateComparisonTest {
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-07-04T09:05:03Z"), ZoneOffset.UTC);
  private static final ObjectMapper JSON = new ObjectMapper();

  private static JsonNode resource(String name) throws IOException {
    try (InputStream in =
        Objects.requireNonNull(TemplateComparisonTest.class.getResourceAsStream(name))) {
      return JSON.readTree(in);
    }
  }

  /** Templates as real ones are written, with conversations as hosts send them. */
  @Test
  void conversationsRenderAsInPython() throws IOException {
    compare(resource("conversations.json"), 400, 50);
  }

  /** Random snippets of the language: every filter, test, method and statement. */
  @Test
  void snippetsRenderAsInPython() throws IOException {
    compare(resource("snippets.json"), 1500, 700);
  }

  /** Which value a name has where: inside and outside of loops, macros, branches. */
  @Test
  void namesHaveTheValuesThatPythonGivesThem() throws IOException {
    compare(resource("scopes.json"), 600, 200);
  }

  /** More of each kind, for whoever has real templates: see CONTRIBUTING. */
  @Test
  @EnabledIfSystemProperty(named = "semantic.templates", matches = ".+")
  void aFileOfComparisonsHolds() throws IOException {
    compare(
        JSON.readTree(Files.readString(Path.of(System.getProperty("semantic.templates")))), 1, 0);
  }

  private static void compare(JsonNode file, int cases, int refusals) {
    Map<String, Map<String, Object>> values = new HashMap<>();
    file.get("values")
        .properties()
        .forEach(
            entry ->
                values.put(
                    entry.getKey(),
                    JSON.convertValue(
                        entry.getValue(), new TypeReference<LinkedHashMap<String, Object>>() {})));
    List<String> wrong = new ArrayList<>();
    int refused = 0;
    for (JsonNode each : file.get("cases")) {
      String name = each.get("template").textValue();
      String template = file.path("templates").path(name).asText(name);
      String expected = each.path("text").textValue();
      refused += expected == null ? 1 : 0;
      String found =
          outcome(template, Objects.requireNonNull(values.get(each.get("values").textValue())));
      if (!Objects.equals(expected, found)) {
        wrong.add(
            "%s, %s%n  expected %s%n  found    %s"
                .formatted(
                    name,
                    each.get("values").textValue(),
                    expected == null ? each.path("error").textValue() : expected,
                    found));
      }
    }
    assertEquals(List.of(), wrong.subList(0, Math.min(20, wrong.size())), wrong.size() + " differ");
    assertTrue(file.get("cases").size() >= cases, "the cases are missing");
    assertTrue(refused >= refusals, "only " + refused + " refusals");
  }

  /** The text; null where it is refused, which any other exception is not. */
  private static @Nullable String outcome(String template, Map<String, Object> values) {
    try {
      return ChatTemplate.parse(template).render(values, CLOCK);
    } catch (TemplateException e) {
      assertTrue(String.valueOf(e.getMessage()).contains("line "), e::getMessage);
      return null;
    }
  }
}
