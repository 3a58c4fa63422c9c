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
  private static final Pattern NAMED = Pattern.compile("`(\\w+Test)(?:\\.(\\w+))?`");

  @Test
  void whatIsPromisedIsTested() throws IOException {
    Map<String, String> tests = tests();
    List<String> wrong = new ArrayList<>();
    List<String> page = Files.readAllLines(HOUSE.resolve("docs/security.md"));
    for (String line : page) {
      Matcher named = NAMED.matcher(line);
      int found = 0;
      while (named.find()) {
        found++;
        String source = tests.getOrDefault(named.group(1), "");
        if (source.isEmpty()
            || (named.group(2) != null && !source.contains("void " + named.group(2) + "("))) {
          wrong.add(named.group());
        }
      }
      if (line.startsWith("|") && found == 0 && !line.startsWith("|---")) {
        wrong.add("no test: " + line);
      }
    }
    assertTrue(wrong.removeIf(line -> line.contains("what would fail otherwise")), "a heading");
    assertEquals(List.of(), wrong);
  }

  private static Map<String, String> tests() throws IOException {
    Map<String, String> tests = new HashMap<>();
    for (String module : List.of("semantic-core", "semantic-mlx", "semantic-examples")) {
      try (Stream<Path> files = Files.walk(HOUSE.resolve(module).resolve("src/test/java"))) {
        for (Path file : files.filter(each -> each.toString().endsWith("Test.java")).toList()) {
          String name = String.valueOf(file.getFileName()).replace(".java", "");
          tests.merge(name, Files.readString(file), String::concat);
        }
      }
    }
    return tests;
  }
}
