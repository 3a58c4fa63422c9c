package dev.semantic.mlx.template;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Renders the templates of {@code hostile.txt}, one after the other, and says what became of each:
 * a program of its own, because it is given little memory.
 */
final class HostileTemplates {
  private static final Pattern REPEATED = Pattern.compile("⟪([^⟫]*)⟫×(\\d+)");

  private HostileTemplates() {}

  /** By name. In their sources {@code ⟪x⟫×3} stands for {@code xxx}. */
  static Map<String, String> all() throws IOException {
    Map<String, String> all = new LinkedHashMap<>();
    try (InputStream in =
        Objects.requireNonNull(HostileTemplates.class.getResourceAsStream("hostile.txt"))) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      for (String each : text.split("(?m)^=== ", -1)) {
        String[] parts = each.strip().split("\n", 2);
        if (parts.length == 2) {
          all.put(parts[0], parts[1]);
        }
      }
    }
    return all;
  }

  private static String source(String text) {
    return REPEATED
        .matcher(text)
        .replaceAll(
            found ->
                Matcher.quoteReplacement(found.group(1).repeat(Integer.parseInt(found.group(2)))));
  }

  private static String outcome(String source) {
    try {
      return "rendered " + ChatTemplate.parse(source).render(Map.of()).length();
    } catch (TemplateException e) {
      return "refused " + e.getMessage();
    } catch (Throwable e) {
      return "FAILED " + e;
    }
  }

  public static void main(String[] arguments) throws IOException {
    for (Map.Entry<String, String> each : all().entrySet()) {
      long begun = System.nanoTime();
      String outcome = outcome(source(each.getValue()));
      long ms = (System.nanoTime() - begun) / 1_000_000;
      System.out.printf("%s\t%d ms\t%s%n", each.getKey(), ms, outcome.replaceAll("\\s+", " "));
    }
  }
}
