package dev.semantic.mlx.files;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.semantic.model.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonTextTest {
  @TempDir private Path directory = Path.of("");

  private String refused(String content, String... words) throws IOException {
    Path file = Files.writeString(directory.resolve("config.json"), content);
    return String.valueOf(
        assertRefused(ModelException.class, () -> JsonText.read(file, 10_000), words).getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    "'[1]', a list",
    "'7.5', a number",
    "'\"x\"', a text",
    "'true', true",
    "'null', null",
    "'', empty"
  })
  void whatIsNoObjectIsNamed(String content, String kind) throws IOException {
    String said = refused(content, "config.json", kind);
    assertFalse(said.contains("java."), said);
  }

  @Test
  void anObjectKeepsItsNumbers() throws IOException {
    Path file =
        Files.writeString(directory.resolve("a.json"), "{\"a\": 7, \"b\": 1e400, \"c\": null}");
    assertEquals(7, JsonText.read(file, 100).get("a"));
    assertEquals(Double.POSITIVE_INFINITY, JsonText.read(file, 100).get("b"));
    assertRefused(ModelException.class, () -> JsonText.read(file, 10), "more than the 10");
  }

  @Test
  void moreValuesThanFitIntoMemoryAreRefused() throws IOException {
    Path file =
        Files.writeString(
            directory.resolve("a.json"), "{\"a\":[" + "[],".repeat(1_000_000) + "0]}");
    String said =
        String.valueOf(
            assertRefused(ModelException.class, () -> JsonText.read(file, 10_000_000), "a.json")
                .getMessage());
    assertFalse(said.contains("StreamRead"), said);
  }

  @Test
  void aBoundIsSaidInWords() throws IOException {
    String said = refused("{\"a\":" + "[".repeat(200), "depth", "(100)");
    assertFalse(said.contains("StreamRead"), said);
    assertFalse(refused("{\"a\":", "line 1").contains("REDACTED"));
  }

  /** Reading it would wait for a writer that never comes. */
  @Test
  @Timeout(20)
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void aPipeIsNotRead() throws Exception {
    Path pipe = directory.resolve("config.json");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    assertRefused(ModelException.class, () -> JsonText.read(pipe, 100), "is not a file");
  }
}
