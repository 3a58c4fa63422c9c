package dev.semantic.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.examples.testing.Project;
import dev.semantic.examples.testing.RequiresModels;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlainApiTest {
  private static final Path SOURCE =
      Project.module().resolve("src/main/java/dev/semantic/examples/PlainApi.java");

  @Test
  void theReadmeShowsItAndItHasFortyLines() throws IOException {
    List<String> source = Files.readAllLines(SOURCE);
    assertTrue(source.size() <= 40, () -> source.size() + " lines");
    String readme = Files.readString(Project.root().resolve("README.md"));
    Matcher block = Pattern.compile("```java\n(.*?)\n```", Pattern.DOTALL).matcher(readme);
    assertTrue(block.find(), "README.md has no Java");
    assertEquals(String.join("\n", source), block.group(1));
  }

  @Nested
  @RequiresModels
  class WithModels {
    @Test
    void itRunsAndTheAgentRemembers(@TempDir Path caches) throws Exception {
      ByteArrayOutputStream said = new ByteArrayOutputStream();
      PrintStream before = System.out;
      System.setOut(new PrintStream(said, true, StandardCharsets.UTF_8));
      try {
        PlainApi.main(new String[] {caches.toString()});
      } finally {
        System.setOut(before);
      }
      String text = said.toString(StandardCharsets.UTF_8);
      Matcher cached = Pattern.compile("\\((\\d+) tokens cached\\)\\s*$").matcher(text);
      assertTrue(cached.find(), text);
      assertTrue(Integer.parseInt(cached.group(1)) > 30, text);
      assertTrue(text.contains("reclaimed"), text);
    }
  }
}
