package dev.semantic.mlx.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.ChatMessage;
import dev.semantic.memory.ByteSize;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.convert.ModelConversion.Dtype;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.mlx.testing.RequiresModels;
import dev.semantic.mlx.testing.RequiresNatives;
import dev.semantic.mlx.testing.TinyModels;
import dev.semantic.model.ModelId;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A converted model computes what its source computes. */
@RequiresNatives
class ConvertedLogitsTest {
  @TempDir private Path directory = Path.of("");

  /** Where the rule of positions had to be found again, it is right to a float's last places. */
  @ParameterizedTest
  @CsvSource({
    "tiny-llama-f32, llama, 0",
    "tiny-llama3-rope-f32, llama, 1e-4",
    "tiny-llama-linear-q6, llama, 0",
    "tiny-qwen2-q8, qwen2, 0",
    "tiny-qwen2-yarn-f32, qwen2, 0",
    "tiny-qwen3-bf16, qwen3, 0",
    "tiny-gemma2-bf16, gemma2, 0",
    "random, gemma3, 0",
    "tiny-phi3-long-f32, phi3, 0"
  })
  void aGgufFileOfEveryArchitectureComputesTheSameAsADirectory(
      String name, String architecture, float tolerance) throws IOException {
    Path source = Sources.gguf(name, architecture, directory);
    ConvertedModel converted =
        ModelConversion.of(source).build().write(directory.resolve("converted"));
    try (MlxModelRuntime runtime = MlxModelRuntime.open()) {
      assertArrayEquals(
          Sources.logits(runtime, source), Sources.logits(runtime, converted.path()), tolerance);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiny-llama-bias-mixed", "tiny-gemma3-vlm-q4", "tiny-qwen2-f16"})
  void aDirectoryThatIsOnlyWrittenAnewComputesTheSame(String name) {
    Path source = TinyModels.of(name);
    ConvertedModel converted =
        ModelConversion.of(source)
            .shardSize(new ByteSize(20_000))
            .build()
            .write(directory.resolve("converted"));
    assertTrue(converted.exact());
    assertTrue(converted.weightFiles().size() > 3, () -> converted.weightFiles().toString());
    try (MlxModelRuntime runtime = MlxModelRuntime.open()) {
      assertArrayEquals(
          Sources.logits(runtime, source), Sources.logits(runtime, converted.path()), 0);
    }
  }

  @Test
  void aQuantisedDirectoryWrittenOutAsNumbersComputesTheSame() {
    Path source = TinyModels.of("tiny-llama-tied-q4");
    ConvertedModel converted =
        ModelConversion.of(source)
            .dequantize()
            .dtype(Dtype.FLOAT32)
            .build()
            .write(directory.resolve("converted"));
    assertEquals("F32", converted.quantization());
    try (MlxModelRuntime runtime = MlxModelRuntime.open()) {
      assertArrayEquals(
          Sources.logits(runtime, source), Sources.logits(runtime, converted.path()), 0);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"smollm2-135m-instruct", "gemma-3-270m"})
  @RequiresModels
  void aRealModelKeepsItsNumbersAndItsWords(String name) throws IOException {
    ModelId id = new ModelId(name);
    ConvertedModel converted =
        ModelConversion.of(ModelCatalog.ofUser().resolve(id))
            .build()
            .write(directory.resolve("converted"));
    assertTrue(converted.exact());
    ModelId written = new ModelId(converted.path().toString());
    try (MlxModelRuntime runtime = MlxModelRuntime.open()) {
      int[] prompt;
      try (PreparedModel before = runtime.prepare(id);
          PreparedModel after = runtime.prepare(written)) {
        sameWords(before.text(), after.text());
        prompt = before.text().encode("Once upon a time there was", true);
      }
      assertArrayEquals(
          Sources.logits(runtime, id, prompt), Sources.logits(runtime, written, prompt), 0);
    }
    assertTrue(Files.readString(converted.path().resolve("README.md")).contains("license: "));
  }

  private static void sameWords(Tokenizer before, Tokenizer after) {
    for (String text :
        List.of("Hello world", "  two  spaces\n\n\ttab", "naïve 漢字 🙂 1234", "<|im_end|> x<eos>")) {
      int[] tokens = before.encode(text, true);
      assertArrayEquals(tokens, after.encode(text, true), text);
      assertEquals(before.decode(tokens), after.decode(tokens));
    }
    assertEquals(before.beginsWithBos(), after.beginsWithBos());
    assertEquals(before.endTokens(), after.endTokens());
    assertEquals(before.hasChatTemplate(), after.hasChatTemplate());
    if (before.hasChatTemplate()) {
      List<ChatMessage> chat = List.of(ChatMessage.user("Hi<|im_end|>"));
      assertArrayEquals(before.encodeChat(chat), after.encodeChat(chat));
    }
  }
}
