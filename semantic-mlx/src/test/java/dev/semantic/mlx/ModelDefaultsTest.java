package dev.semantic.mlx;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.semantic.generate.Sampling;
import dev.semantic.mlx.testing.RequiresNatives;
import dev.semantic.mlx.testing.TinyModels;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.PreparedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a generation_config.json recommends reaches whoever prepared the model. */
@RequiresNatives
class ModelDefaultsTest {
  @TempDir private Path directory = Path.of("");

  private Sampling said(String json) throws IOException {
    Path model = directory.resolve("model");
    if (!Files.exists(model)) {
      Files.createDirectory(model);
      for (String file : new String[] {"config.json", "model.safetensors"}) {
        Files.copy(TinyModels.of("tiny-llama-f32").resolve(file), model.resolve(file));
      }
    }
    Files.writeString(model.resolve("generation_config.json"), json);
    return Sampling.recommendedBy(spec(model));
  }

  private static ModelSpec spec(Path model) {
    try (MlxModelRuntime runtime = MlxModelRuntime.open();
        PreparedModel prepared = runtime.prepare(new ModelId(model.toString()))) {
      return prepared.spec();
    }
  }

  @Test
  void whatIsSaidIsReadAsTransformersReadsIt() throws IOException {
    assertEquals(
        Sampling.GREEDY.withTemperature(0.7).withTopK(20).withTopP(0.8).withRepetitionPenalty(1.05),
        said(
            "{\"do_sample\": true, \"temperature\": 0.7, \"top_k\": 20, \"top_p\": 0.8,"
                + " \"repetition_penalty\": 1.05}"));
    assertEquals(Sampling.GREEDY.withTemperature(1).withTopK(50), said("{\"do_sample\": true}"));
    assertEquals(Sampling.GREEDY, said("{\"do_sample\": false, \"temperature\": 0.7}"));
    assertEquals(Sampling.GREEDY.withRepetitionPenalty(1.1), said("{\"repetition_penalty\": 1.1}"));
  }

  @Test
  void whereNothingIsSaidTheLikeliestTokenIsTaken() throws IOException {
    assertEquals(Sampling.GREEDY, said("{\"eos_token_id\": 2}"));
    assertEquals(Sampling.GREEDY, Sampling.recommendedBy(spec(TinyModels.of("tiny-llama-f32"))));
  }

  /** The model can be used all the same by whoever does not ask. */
  @Test
  void whatCannotBeIsNamedToWhoeverAsks() {
    assertRefused(
        ModelException.class, () -> said("{\"do_sample\": true, \"top_p\": 7}"), "model", "top-p");
  }
}
