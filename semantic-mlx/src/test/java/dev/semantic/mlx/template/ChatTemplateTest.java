package dev.semantic.mlx.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Our templates render as Python's do. {@code renderings.json} was written by jinja2 3.1.6, set up
 * as transformers 5.23 sets it up, at the time of {@link #CLOCK}.
 */
@Timeout(60)
class ChatTemplateTest {
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-07-04T09:05:03Z"), ZoneOffset.UTC);

  private static JsonNode renderings() {
    try (InputStream in =
        Objects.requireNonNull(ChatTemplateTest.class.getResourceAsStream("renderings.json"))) {
      return new ObjectMapper().readTree(in);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Map<String, Object> values(JsonNode renderings) {
    return new ObjectMapper()
        .convertValue(renderings.get("values"), new TypeReference<Map<String, Object>>() {});
  }

  private static String render(String template) {
    return ChatTemplate.parse(template).render(Map.of());
  }

  private static String refusal(String template) {
    TemplateException refused =
        assertThrows(TemplateException.class, () -> render(template), template);
    return String.valueOf(refused.getMessage());
  }

  /** Some templates are one line; each of their tags once had all of it looked through. */
  @Test
  @Timeout(15)
  void aLongLineOfTagsIsReadInOneGo() {
    assertEquals("x", render("x" + "{% set a = 1 %}".repeat(60_000)));
  }

  @Test
  void everythingRendersAsInPython() {
    JsonNode renderings = renderings();
    Map<String, Object> values = values(renderings);
    List<String> wrong = new ArrayList<>();
    for (JsonNode rendering : renderings.get("cases")) {
      String template = rendering.get("template").textValue();
      String expected = rendering.path("text").textValue();
      String found;
      try {
        found = ChatTemplate.parse(template).render(values, CLOCK);
      } catch (TemplateException e) {
        found = null;
      }
      if (!Objects.equals(expected, found)) {
        wrong.add("%s%n  expected %s%n  found    %s".formatted(template, expected, found));
      }
    }
    assertTrue(renderings.get("cases").size() > 400, "the cases are missing");
    assertEquals(List.of(), wrong);
  }

  @Test
  void aTemplateCutOffAnywhereRendersOrRefuses() {
    JsonNode renderings = renderings();
    Map<String, Object> values = values(renderings);
    int refused = 0;
    for (JsonNode rendering : renderings.get("cases")) {
      String template = rendering.get("template").textValue();
      for (int end = 0; end < Math.min(template.length(), 150); end++) {
        try {
          ChatTemplate.parse(template.substring(0, end)).render(values, CLOCK);
        } catch (TemplateException e) {
          refused++; // any other exception fails the test
        }
      }
    }
    assertTrue(refused > 10_000, "only " + refused);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '^',
      quoteCharacter = '`',
      value = {
        "{{ x.y }} ^ 1, column 6",
        "{{ 1 +   }} ^ 1, column 10",
        "a{% if %} ^ 1, column 8",
        "{% for a in b %} ^ missing",
        "{{ 'x'|nosuch }} ^ 'nosuch' (line 1, column 8)",
        "{{ 'x' is nosuch }} ^ 'nosuch'",
        "{% include 'x' %} ^ 'include'",
        "{{ raise_exception('no system role') }} ^ no system role",
        "{{ 'a'.find() }} ^ line 1, column 12",
        "{{ '\\xzz' }} ^ line 1, column 5",
        "{{ 1 / 0 }} ^ zero",
        "{{ 2 ** 9999999 }} ^ too large",
        "{{ '%d'|format('x') }} ^ not a number"
      })
  void anErrorSaysWhatAndWhere(String template, String expected) {
    String message = refusal(template);
    assertTrue(message.contains(expected), message);
  }

  @Test
  void anErrorCountsLines() {
    assertTrue(refusal("one\ntwo {{ 'a' }}\n  {{ b.c }}").contains("line 3, column 8"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ ('a' * 1000000).replace('a', 'b' * 1000000) }}",
        "{{ ('b' * 1000000).join('a' * 1000000) }}",
        "{{ ('a' * 1000000)|list|join('b' * 1000000) }}",
        "{% set n = namespace(s='aaaaaaaa') %}{% for i in range(60) %}"
            + "{% set n.s = n.s ~ n.s %}{% endfor %}",
        "{% set n = namespace(s=[1,2]) %}{% for i in range(60) %}"
            + "{% set n.s = n.s + n.s %}{% endfor %}",
        "{{ range(1000000000000)|length }}",
        "{{ 2 ** 100000000 }}",
        "{{ '%100000000d' % 1 }}",
        "{% set n = namespace(x=[1], y=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}"
            + "{% set n.y = [n.y, n.y] %}{% endfor %}{{ n.x == n.y }}",
        "{% set n = namespace(x=[1], y=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}"
            + "{% set n.y = [n.y, n.y] %}{% endfor %}{{ n.x < n.y }}",
        "{% set n = namespace(x=[]) %}{% for i in range(90000) %}{% set n.x = [n.x] %}{% endfor %}"
            + "{{ n.x }}",
        "{% set n = namespace(x=[]) %}{% for i in range(90000) %}{% set n.x = [n.x] %}{% endfor %}"
            + "{{ n.x|string }}"
      })
  void whatATemplateMayCostIsBounded(String template) {
    String message = refusal(template);
    assertTrue(message.contains("line 1, column "), message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"(", "[", "not ", "-", "{'a':", "1+", "a.b", "a if "})
  void deepNestingIsRefusedAndBreaksNothing(String part) {
    String message = refusal("{{ " + part.repeat(100_000) + " }}");
    assertTrue(message.contains("line 1, column "), message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"1+", "a|d|", "a and ", "a.b is none and "})
  void longChainsAreRefusedWithTheirPlace(String part) {
    String message = refusal("{{ " + part.repeat(100_000) + "d }}");
    assertTrue(message.contains("line 1, column "), message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ ''.__class__ }}",
        "{{ messages.getClass() if messages is defined else '' }}",
        "{{ namespace.__init__ }}",
        "{{ [].__class__ }}",
        "{{ {}.__class__ }}"
      })
  void nothingOfTheHostIsSeen(String template) {
    assertEquals("", render(template));
  }

  /** Java writes two digits where one says which number it is. */
  @Test
  void theSmallestNumbersAreWrittenAsShortAsInPython() {
    String template =
        "{{ 5e-324 }} {{ 1e-323 }} {{ -1e-323 }} {{ 1.5e-323 }} {{ [5e-324]|tojson }} {{ 1e-322 }}";
    assertEquals("5e-324 1e-323 -1e-323 1.5e-323 [5e-324] 1e-322", render(template));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '^',
      quoteCharacter = '`',
      value = {
        "{{ '{:012,}'.format(5) }} ^ 0,000,000,005",
        "{{ '{:012_.2e}'.format(1.83e19) }} ^ 0_001.83e+19",
        "{{ '{:0=+12,.2f}'.format(-7.25) }} ^ -0,000,007.25",
        "{{ '{:03,}'.format(-895.549) }} ^ -895.549",
        "{{ '{:z.1f}'.format(-0.01) }} ^ 0.0",
        "{{ '{:.2}'.format(75.0) }} ^ 7.5e+01",
        "{{ '{:.3}'.format(75.0) }} ^ 75.0",
        "{{ -86 // -153.5 }} ^ 0.0"
      })
  void numbersAreWrittenAsInPython(String template, String expected) {
    assertEquals(expected, render(template));
  }

  @ParameterizedTest
  @ValueSource(strings = {"{:,x}", "{:_n}", "{:z}", "{:,c}"})
  void formatsThatPythonRefusesAreRefused(String format) {
    assertTrue(refusal("{{ '" + format + "'.format(7) }}").contains("line 1"));
  }

  @Test
  void valuesAreNotChanged() {
    List<Object> list = new ArrayList<>(List.of(3, 1, 2));
    String text = ChatTemplate.parse("{{ l|sort }}{{ l|reverse|list }}").render(Map.of("l", list));
    assertEquals("[1, 2, 3][2, 1, 3]", text);
    assertEquals(List.of(3, 1, 2), list);
  }

  @Test
  void oneTemplateServesManyThreads() {
    ChatTemplate template =
        ChatTemplate.parse(
            "{% set n = namespace(s=0) %}{% for i in range(k) %}{% set n.s = n.s + i %}"
                + "{% endfor %}{{ n.s }}");
    List<String> sums =
        IntStream.range(0, 500).parallel().mapToObj(k -> template.render(Map.of("k", k))).toList();
    for (int k = 0; k < sums.size(); k++) {
      assertEquals(String.valueOf(k * (k - 1) / 2), sums.get(k));
    }
  }

  @Test
  void aLongTemplateParsesInTimeThatGrowsWithItsLength() {
    String text = render("{{ 'a' }}\n".repeat(50_000));
    assertEquals(50_000 * 2 - 1, text.length());
  }

  @Test
  void aLongLineParsesInTimeThatGrowsWithItsLength() {
    assertEquals("", render("{% if a %}{% endif %}".repeat(150_000)));
  }
}
