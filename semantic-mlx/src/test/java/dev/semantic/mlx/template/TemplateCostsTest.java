package dev.semantic.mlx.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The table of what everything in a template costs is whole and true. */
@Timeout(500)
class TemplateCostsTest {
  private static final Path TABLE = Path.of("..", "docs", "chat-templates.md");
  private static final Path SOURCES = Path.of("src/main/java/dev/semantic/mlx/template");
  private static final Pattern CASE = Pattern.compile("case ((?:\"\\w+\"(?:,\\s+)?)+) ->");
  private static final Pattern GLOBAL = Pattern.compile("frame\\.set\\(\\s*\"(\\w+)\"");
  private static final Pattern OPERATOR = Pattern.compile("case ((?:\"[^\"]+\"(?:,\\s+)?)+) ->");
  private static final Pattern WORD = Pattern.compile("\\w+");
  private static final Pattern QUOTED = Pattern.compile("[^\"]+(?=\"(?:,|$))");

  /** What would change a value, and is refused whatever it costs. */
  private static final Set<String> REFUSED =
      Set.of("clear", "pop", "popitem", "setdefault", "update");

  @Test
  void everyRowIsTrue() throws IOException {
    List<String> wrong =
        TemplateCosts.read(TABLE).stream().flatMap(row -> row.problems().stream()).toList();
    assertEquals(List.of(), wrong);
  }

  @Test
  void nothingHasNoRow() throws IOException {
    assertEquals(Set.of(), missing("filter", Filters.names()));
    assertEquals(Set.of(), missing("test", Tests.names()));
    assertEquals(Set.of(), missing("function", words(GLOBAL, "Globals.java")));
    Set<String> methods =
        words(CASE, "StringMethods.java", "Methods.java", "LoopState.java", "Globals.java");
    methods.removeAll(REFUSED);
    assertTrue(methods.size() > 70, methods::toString);
    assertEquals(Set.of(), missing("method", methods));
    Set<String> operators =
        words(OPERATOR, QUOTED, "Evaluator.java", "Compare.java", "Arithmetic.java");
    assertTrue(operators.size() > 14, operators::toString);
    assertEquals(Set.of(), missing("operator", operators));
    Set<String> statements = words(CASE, "Parser.java");
    assertTrue(statements.size() > 9, statements::toString);
    assertEquals(Set.of(), missing("statement", statements));
  }

  private static Set<String> missing(String kind, Set<String> names) throws IOException {
    Set<String> missing = new TreeSet<>(names);
    TemplateCosts.read(TABLE).stream()
        .filter(row -> row.kind().equals(kind))
        .forEach(row -> row.names().forEach(missing::remove));
    return missing;
  }

  /** The names that a switch, or a table of functions, knows. */
  private static Set<String> words(Pattern place, String... files) throws IOException {
    return words(place, WORD, files);
  }

  private static Set<String> words(Pattern place, Pattern one, String... files) throws IOException {
    Set<String> words = new TreeSet<>();
    for (String file : files) {
      Matcher places = place.matcher(Files.readString(SOURCES.resolve(file)));
      while (places.find()) {
        Matcher word = one.matcher(places.group(1));
        while (word.find()) {
          words.add(word.group());
        }
      }
    }
    return words;
  }
}
