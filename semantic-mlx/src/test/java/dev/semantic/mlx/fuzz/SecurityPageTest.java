package dev.semantic.mlx.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Each promise of {@code docs/security.md} names tests, and these are there. */
class SecurityPageTest {
  private static final Path HOUSE = Path.of("..");
  private static final Pattern NAMED =
      Pattern.compile("`(?:(\\w+(?:Test|IT|Contract))(?:\\.(\\w+))?|\\.(\\w+))`");

  @Test
  void whatIsPromisedIsTested() throws IOException {
    Map<String, String> tests = tests();
    List<String> wrong = new ArrayList<>();
    List<String> page = Files.readAllLines(HOUSE.resolve("docs/security.md"));
    for (String line : page) {
      if (missing(line, tests, wrong) == 0 && line.startsWith("|") && !line.startsWith("|---")) {
        wrong.add("no test: " + line);
      }
    }
    assertTrue(wrong.removeIf(line -> line.contains("what would fail otherwise")), "a heading");
    assertEquals(List.of(), wrong);
  }

  /** So do the rows of what others and we have seen broken, but for those that say why not. */
  @Test
  void whatWasBrokenIsTested() throws IOException {
    Map<String, String> tests = tests();
    List<String> wrong = new ArrayList<>();
    int found = 0;
    for (String line : Files.readAllLines(HOUSE.resolve("project/reviews/known-defects.md"))) {
      found += missing(line, tests, wrong);
    }
    assertTrue(found > 200, "so few tests are named: " + found);
    assertEquals(List.of(), wrong);
  }

  /** How many tests a line names; adds those that are nowhere. */
  private static int missing(String line, Map<String, String> tests, List<String> wrong) {
    Matcher named = NAMED.matcher(line);
    String type = "";
    int found = 0;
    while (named.find()) {
      type = named.group(1) == null ? type : named.group(1);
      String method = named.group(1) == null ? named.group(3) : named.group(2);
      String source = tests.getOrDefault(type, "");
      boolean there = method == null || source.contains(" " + method);
      if (type.isEmpty()) {
        continue; // a name of something else
      }
      found++;
      if (source.isEmpty() || !there) {
        wrong.add(type + ": " + named.group());
      }
    }
    return found;
  }

  private static Map<String, String> tests() throws IOException {
    Map<String, String> tests = new HashMap<>();
    for (String module : List.of("semantic-core", "semantic-mlx", "semantic-examples")) {
      try (Stream<Path> files = Files.walk(HOUSE.resolve(module).resolve("src/test/java"))) {
        for (Path file : files.filter(each -> each.toString().endsWith(".java")).toList()) {
          String name = String.valueOf(file.getFileName()).replace(".java", "");
          tests.merge(name, Files.readString(file), String::concat);
        }
      }
    }
    return tests;
  }
}
