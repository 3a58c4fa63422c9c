package dev.semantic.mlx.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.testing.Reference;
import dev.semantic.mlx.testing.RequiresNatives;
import dev.semantic.mlx.testing.TinyModels;
import dev.semantic.model.ModelId;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The same weights compute the same, whether they come from a directory or from a GGUF file. */
@RequiresNatives
class GgufArchitecturesTest {
  @TempDir private Path directory = Path.of("");

  /** A directory of 16 bits is computed in 16 bits, a GGUF file in float32. */
  @ParameterizedTest
  @CsvSource({
    "tiny-llama-f32, llama, 1e-3",
    "tiny-llama3-rope-f32, llama, 1e-3",
    "tiny-llama-linear-q6, llama, 1e-3",
    "tiny-llama-bias-mixed, llama, 1e-3",
    "tiny-mistral-q3, llama, 1e-3",
    "tiny-qwen2-q8, qwen2, 1e-3",
    "tiny-qwen2-yarn-f32, qwen2, 1e-3",
    "tiny-qwen3-bf16, qwen3, 0.2",
    "tiny-gemma2-bf16, gemma2, 0.2",
    "tiny-phi3-long-f32, phi3, 1e-3"
  })
  void aFileComputesWhatTheDirectoryComputes(String name, String architecture, float tolerance)
      throws IOException {
    Path model = copied(TinyModels.of(name));
    int[] prompt = Reference.ints(TinyModels.expected(TinyModels.of(name)).get("prompt"));
    Path file = directory.resolve("model.gguf");
    try (Checkpoint checkpoint = Checkpoints.open(model)) {
      GgufOf.write(checkpoint, architecture, file);
    }
    float[] expected = logits(model, prompt);
    float[] actual = logits(file, prompt);
    assertEquals(expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], actual[i], tolerance, "logit " + i);
    }
  }

  /** With the scale that GGUF has no word for as it is in real models: the width of a head. */
  private Path copied(Path from) throws IOException {
    Path to = Files.createDirectory(directory.resolve("copy"));
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName().toString()));
      }
    }
    Path config = to.resolve("config.json");
    ObjectNode json = (ObjectNode) TinyModels.json(config);
    if (json.has("query_pre_attn_scalar")) {
      json.set("query_pre_attn_scalar", json.get("head_dim"));
    }
    new ObjectMapper().writeValue(config.toFile(), json);
    return to;
  }

  private static float[] logits(Path model, int[] prompt) {
    try (MlxModelRuntime runtime = MlxModelRuntime.open();
        PreparedModel prepared = runtime.prepare(new ModelId(model.toString()));
        LoadedModel loaded = prepared.load(LoadProgress.NONE);
        Sequence sequence = loaded.open()) {
      return loaded.forward(List.of(new Chunk(sequence, prompt, true))).getFirst();
    }
  }
}
