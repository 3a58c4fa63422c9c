package dev.semantic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code docs/architecture.md} names what the modules export, all of it and nothing else. */
class ArchitecturePageTest {
  private static final Path PROJECT = Path.of("").toAbsolutePath().getParent();

  @ParameterizedTest
  @ValueSource(strings = {"semantic-core", "semantic-mlx"})
  void thePageNamesEveryExportedPackage(String module) throws IOException {
    String source = Files.readString(PROJECT.resolve(module + "/src/main/java/module-info.java"));
    List<String> exported =
        Pattern.compile("exports ([\\w.]+);")
            .matcher(source)
            .results()
            .map(match -> match.group(1))
            .sorted()
            .toList();
    String page = Files.readString(PROJECT.resolve("docs/architecture.md"));
    int room = page.indexOf("### " + module);
    assertTrue(room >= 0, module);
    MatchResult line =
        Pattern.compile("^Exported: (.*?)\\. ", Pattern.MULTILINE)
            .matcher(page.substring(room))
            .results()
            .findFirst()
            .orElseThrow();
    assertEquals(
        exported, List.of(line.group(1).replace("`", "").split(", ", -1)), "docs/architecture.md");
  }
}
