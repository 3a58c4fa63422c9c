package dev.semantic.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.semantic.examples.testing.Project;
import dev.semantic.examples.testing.RequiresModels;
import dev.semantic.examples.testing.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The built jar as users run it: plain {@code java -jar}, from another directory. */
@RequiresModels
class SemanticJarIT {
  @TempDir private Path directory = Path.of("");

  private Run run(Map<String, String> environment, String... arguments)
      throws IOException, InterruptedException {
    return Program.start(directory, environment, List.of(arguments)).end();
  }

  @Test
  void theVersionIsTheProjects() throws Exception {
    Run run = run(Map.of(), "--version");
    assertEquals(0, run.code());
    assertTrue(run.out().matches("semantic \\d+\\.\\d+\\.\\d+.*\\R"), run.out());
  }

  @Test
  void nothingButTheAnswerIsPrinted() throws Exception {
    JsonNode answer =
        run(Map.of(), "generate", Project.SMOL, "--prompt", "Hi", "--max-tokens", "4", "--json")
            .json(
                "prompt_tokens",
                "tokens",
                "text",
                "ttft_ms",
                "prefill_tokens_per_second",
                "decode_tokens_per_second",
                "finish_reason",
                "tool_calls",
                "reasoning");
    assertEquals("length", answer.get("finish_reason").asText());
    assertEquals(4, answer.get("tokens").size());
  }

  @Test
  void theLocaleDoesNotMatter() throws Exception {
    JsonNode pair = Project.reference().get("tokens-smollm2").get(2);
    for (String locale : List.of("C", "C.UTF-8")) {
      Run run =
          run(Map.of("LC_ALL", locale), "tokenize", Project.SMOL, pair.get(0).asText(), "--json");
      assertArrayEquals(
          Project.ints(pair.get(1)), Project.ints(run.json("tokens").get("tokens")), locale);
    }
    Run text =
        run(Map.of("LC_ALL", "C"), "render", Project.SMOL, "--messages", messages("Grüße, 世界"));
    assertTrue(text.out().contains("Grüße, 世界"), text.out());
  }

  private String messages(String content) throws IOException {
    String json = "[{\"role\": \"user\", \"content\": \"%s\"}]".formatted(content);
    return Files.writeString(directory.resolve("messages.json"), json).toString();
  }

  @Test
  void failuresHaveTheirCodesAndOneLine() throws Exception {
    run(Map.of(), "info", "nothing.gguf", "--json").assertFailed(1, "nothing.gguf");
    run(Map.of(), "generate", Project.SMOL, "--tokens", "49152", "--json").assertFailed(1, "49152");
    run(Map.of(), "info").assertFailed(2, "MODEL");
    Path bad = Files.writeString(directory.resolve("bad.gguf"), "GGUF and no more");
    run(Map.of(), "generate", bad.toString(), "--prompt", "a").assertFailed(1, "bad.gguf");
  }
}
