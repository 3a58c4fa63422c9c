package dev.semantic.mlx.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a template may cost: little to those that models really have, enough for no attack. */
@Timeout(540)
class TemplateBudgetTest {
  private static final String ENDLESS =
      "{% for i in range(90000) %}{% for j in range(90000) %}{% if 3**200 < 0 %}{% endif %}"
          + "{% endfor %}{% endfor %}";

  private static ChatTemplate endless() {
    return ChatTemplate.parse(ENDLESS);
  }

  private static String refusal(Budget budget) {
    return String.valueOf(
        assertThrows(
                TemplateException.class,
                () -> endless().render(Map.of(), Clock.systemUTC(), budget))
            .getMessage());
  }

  @Test
  void hostileTemplatesEndInALittleMemoryAndWithoutAnError(@TempDir Path directory)
      throws Exception {
    Path out = directory.resolve("out");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:-UsePerfData",
                "-cp",
                System.getProperty("java.class.path"),
                HostileTemplates.class.getName())
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    try {
      assertTrue(process.waitFor(500, TimeUnit.SECONDS), () -> said(out));
      assertEquals(0, process.exitValue(), () -> said(out));
    } finally {
      process.destroyForcibly();
    }
    List<String> lines = Files.readAllLines(out);
    assertEquals(HostileTemplates.all().size(), lines.size(), () -> said(out));
    assertEquals(List.of(), lines.stream().filter(line -> line.contains("FAILED")).toList());
    assertEquals(
        List.of(),
        lines.stream().filter(line -> line.contains("not enough memory")).toList(),
        "held, but not counted");
  }

  private static String said(Path out) {
    try {
      return Files.readString(out, StandardCharsets.UTF_8);
    } catch (IOException e) {
      return e.toString();
    }
  }

  @Test
  void theClockEndsATemplateInTheMidstOfItsWork() {
    String message = refusal(new Budget(0, Duration.ofMillis(20)));
    assertTrue(message.contains("longer than 20 ms (line 1, column "), message);
  }

  @Test
  void anInterruptEndsATemplateAndStays() {
    Thread.currentThread().interrupt();
    String message = refusal(new Budget(0, Duration.ofDays(1)));
    assertTrue(Thread.interrupted());
    assertTrue(message.contains("interrupted (line 1, column "), message);
  }

  @Test
  void anInterruptEndsAlsoOneLongSearch() {
    ChatTemplate template = ChatTemplate.parse("{{ a in b }}");
    Map<String, String> values =
        Map.of("a", "a".repeat(2_000_000) + "b", "b", "a".repeat(8_000_000));
    Budget budget = new Budget(0, Duration.ofDays(1));
    Thread.currentThread().interrupt();
    assertThrows(TemplateException.class, () -> template.render(values, Clock.systemUTC(), budget));
    assertTrue(Thread.interrupted());
    assertTrue(budget.work() < 4_000_000, () -> budget.work() + " units after an interrupt");
  }

  @Test
  void aMessageShowsOnlySoMuchOfATemplateAndNoControls() {
    TemplateException refused =
        assertThrows(
            TemplateException.class,
            () ->
                ChatTemplate.parse("{{ raise_exception('\\x1b]0;a\\x9bb' ~ 'x'*100000) }}")
                    .render(Map.of()));
    String message = String.valueOf(refused.getMessage());
    assertTrue(message.length() < 700, message);
    assertTrue(message.chars().noneMatch(Character::isISOControl), message);
  }

  /** A name of a user's making is a key at most once: all that is undefined is one value. */
  @Test
  void keysAreThoseOfPython() {
    assertEquals(
        "1 1 2 True",
        ChatTemplate.parse(
                "{{ {a: 1, b: 2}|length }} {{ {(1, 2.0): 1, (True, 2): 2}|length }} {{ {('Aa',): 1,"
                    + " ('BB',): 2}|length }} {{ (1, (2, 3)) in {(1, (2, 3)): 1} }}")
            .render(Map.of()));
  }

  /** Templates of real models' kind, with a hundred messages and tools. */
  @Test
  void whatRealTemplatesTakeIsAFractionOfTheBudget() throws IOException {
    JsonNode corpus;
    try (InputStream in =
        Objects.requireNonNull(
            TemplateBudgetTest.class.getResourceAsStream("conversations.json"))) {
      corpus = new ObjectMapper().readTree(in);
    }
    Map<String, Object> values = conversation();
    List<String> spent = new ArrayList<>();
    double most = 0;
    for (Map.Entry<String, JsonNode> each : corpus.get("templates").properties()) {
      ChatTemplate template = ChatTemplate.parse(each.getValue().textValue());
      Budget budget = new Budget(ChatTemplate.size(values));
      try {
        template.render(values, Clock.systemUTC(), budget);
      } catch (TemplateException e) {
        continue; // of another kind of conversation
      }
      most = Math.max(most, budget.spent());
      spent.add("%.4f %s".formatted(budget.spent(), each.getKey()));
    }
    System.out.printf(
        "The most expensive of %d templates takes %.2f %%%n", spent.size(), 100 * most);
    assertTrue(spent.size() >= 2, spent::toString);
    assertTrue(most < 0.1, spent::toString);
  }

  private static Map<String, Object> conversation() {
    List<Object> tools =
        IntStream.range(0, 20)
            .<Object>mapToObj(
                i ->
                    Map.of(
                        "type",
                        "function",
                        "function",
                        Map.of(
                            "name",
                            "tool_" + i,
                            "description",
                            "what it does ".repeat(20),
                            "parameters",
                            Map.of(
                                "type",
                                "object",
                                "properties",
                                Map.of("city", Map.of("type", "string")),
                                "required",
                                List.of("city")))))
            .toList();
    List<Object> messages =
        IntStream.range(0, 100)
            .<Object>mapToObj(
                i ->
                    Map.of(
                        "role",
                        i % 2 == 0 ? "user" : "assistant",
                        "content",
                        "What is said in a message of a conversation. ".repeat(20)))
            .toList();
    return Map.of(
        "messages",
        messages,
        "tools",
        tools,
        "add_generation_prompt",
        true,
        "bos_token",
        "<s>",
        "eos_token",
        "</s>");
  }
}
