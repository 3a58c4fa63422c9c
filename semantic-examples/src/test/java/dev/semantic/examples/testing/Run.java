package dev.semantic.examples.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.List;
import java.util.regex.Pattern;

/** How a command ended: its exit code and all it wrote. */
public record Run(int code, String out, String err) {
  private static final ObjectMapper STRICT =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  /** What a fetch says when it takes longer than a moment, as it may on a busy machine. */
  private static final Pattern PROGRESS = Pattern.compile("[\\d.]+ \\w+ of [\\d.]+ \\w+(, .*)?");

  /** The one JSON object of a command that went well, with exactly these fields in this order. */
  public JsonNode json(String... fields) throws IOException {
    assertEquals(0, code, this::toString);
    assertEquals(List.of(), err.lines().filter(line -> !PROGRESS.matcher(line).matches()).toList());
    JsonNode object = STRICT.readTree(out);
    assertTrue(object.isObject(), out);
    assertEquals(List.of(fields), object.properties().stream().map(e -> e.getKey()).toList());
    return object;
  }

  /** Asserts that it went wrong as it should: nothing on standard output, one line that helps. */
  public void assertFailed(int expectedCode, String... words) {
    assertEquals(expectedCode, code, this::toString);
    assertEquals("", out);
    assertTrue(err.startsWith("semantic: "), err);
    assertEquals(1, err.lines().count(), err);
    for (String word : words) {
      assertTrue(err.contains(word), () -> "\"" + word + "\" is not in: " + err);
    }
  }
}
