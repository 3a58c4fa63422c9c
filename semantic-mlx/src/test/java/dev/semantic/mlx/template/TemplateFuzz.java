package dev.semantic.mlx.template;

import com.fasterxml.jackson.databind.JsonNode;
import dev.semantic.fuzz.FuzzTarget;
import dev.semantic.fuzz.JsonEdits;
import dev.semantic.fuzz.Recipe;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Templates put together from the words of real and hostile ones, and of the language itself. */
@SuppressWarnings("exports") // for other tests alone, which are in no module
public final class TemplateFuzz implements FuzzTarget {
  private static final Pattern WORD =
      Pattern.compile("\\{[%{#]-?|-?[%}#]\\}|\\w+|'[^']*'|\\s+|[^\\w\\s]");
  private static final Duration LONGEST = Duration.ofMillis(300);
  private static final Clock CLOCK = Clock.fixed(Instant.EPOCH, ZoneOffset.UTC);
  private static final List<String> MORE =
      List.of(
          "{{",
          "}}",
          "{%",
          "%}",
          "for",
          "in",
          "if",
          "else",
          "endfor",
          "endif",
          "set",
          "macro",
          "endmacro",
          "call",
          "endcall",
          "filter",
          "endfilter",
          "loop",
          "range",
          "(100000)",
          "namespace",
          "*",
          "**",
          "//",
          "%",
          "~",
          "|",
          ".",
          "[",
          "]",
          "(",
          ")",
          ",",
          ":",
          "is",
          "not",
          "and",
          "or",
          "==",
          "<",
          "-",
          "'a'",
          "10000000",
          "'%s%d'",
          "'{:>999999}'",
          "['a']",
          "messages",
          "m.content",
          "recursive",
          "dict",
          "cycler",
          "joiner",
          "strftime_now",
          "tojson",
          "{'a':1}",
          "(1,2)",
          "none",
          "true",
          "1.5",
          "9999999999999999999");

  private final List<List<String>> good = new ArrayList<>();
  private final List<String> words = new ArrayList<>(MORE);
  private final Map<String, Object> values =
      Map.of(
          "messages",
          List.of(
              Map.of("role", "user", "content", "a <|end|> b"),
              Map.of("role", "assistant", "content", "c")),
          "tools",
          List.of(Map.of("name", "t", "parameters", Map.of("type", "object"))),
          "bos_token",
          "<s>",
          "add_generation_prompt",
          true);

  private TemplateFuzz() throws IOException {
    good.add(
        words(
            "{{ bos_token }}{% for m in messages %}{{ m['role'] | upper }}: {{ m.content | trim }}"
                + "{% if not loop.last %}\n{% endif %}{% endfor %}{{ tools | tojson(indent=2) }}"));
    try (InputStream in = TemplateFuzz.class.getResourceAsStream("conversations.json")) {
      JsonNode corpus = JsonEdits.JSON.readTree(Objects.requireNonNull(in));
      corpus.get("templates").forEach(each -> good.add(words(each.asText())));
    }
    HostileTemplates.all().values().stream()
        .filter(source -> !source.contains("⟪"))
        .forEach(source -> good.add(words(source)));
    words.addAll(Filters.names());
    words.addAll(Tests.names());
  }

  public static FuzzTarget make(Path directory) throws IOException {
    return new TemplateFuzz();
  }

  private static List<String> words(String source) {
    List<String> words = new ArrayList<>();
    Matcher word = WORD.matcher(source);
    while (word.find()) {
      words.add(word.group());
    }
    return words;
  }

  @Override
  public int costs() {
    return 2;
  }

  @Override
  public Depth read(Recipe recipe) {
    List<String> source = new ArrayList<>(recipe.one(good));
    int edits = 1 + recipe.below(4);
    for (int i = 0; i < edits && recipe.goesOn() && !source.isEmpty(); i++) {
      edit(source, recipe);
    }
    ChatTemplate template;
    try {
      template = ChatTemplate.parse(String.join("", source));
    } catch (TemplateException e) {
      return Depth.FRONT;
    }
    try {
      template.render(values, CLOCK, new Budget(ChatTemplate.size(values), LONGEST));
      return Depth.TAKEN;
    } catch (TemplateException e) {
      if (String.valueOf(e.getMessage()).contains("not enough memory")) {
        throw new IllegalStateException("Held, but not counted: " + String.join("", source), e);
      }
      return Depth.INSIDE;
    }
  }

  private void edit(List<String> source, Recipe recipe) {
    int at = recipe.below(source.size());
    String word = source.get(at);
    switch (recipe.below(6)) {
      case 0 -> source.remove(at);
      case 1 -> source.add(at, recipe.one(words));
      case 2 -> source.set(at, source.get(recipe.below(source.size())));
      case 3 -> { // the same again and again
        int to = Math.min(source.size(), at + 1 + recipe.below(12));
        List<String> some = List.copyOf(source.subList(at, to));
        for (int i = recipe.below(40); i > 0; i--) {
          source.addAll(at, some);
        }
      }
      default -> source.set(at, like(word, recipe));
    }
  }

  /** Of the same kind, so that it is likely to be read. */
  private String like(String word, Recipe recipe) {
    if (word.matches("\\d+")) {
      return Long.toString(Math.abs(recipe.number(Integer.MAX_VALUE & word.hashCode())));
    }
    if (Filters.names().contains(word)) {
      return recipe.one(List.copyOf(new java.util.TreeSet<>(Filters.names())));
    }
    if (word.startsWith("'")) {
      return "'" + recipe.text().replaceAll("['\\\\]", "") + "'";
    }
    return recipe.one(words);
  }
}
