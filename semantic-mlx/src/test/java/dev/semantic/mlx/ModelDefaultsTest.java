package dev.semantic.mlx;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.semantic.engine.Sampling;
import dev.semantic.model.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelDefaultsTest {
  @TempDir private Path directory = Path.of("");

  private Optional<Sampling> said(String json) throws IOException {
    Files.writeString(directory.resolve("config.json"), "{}");
    Files.writeString(directory.resolve("generation_config.json"), json);
    return ModelDefaults.sampling(directory);
  }

  @Test
  void whatIsSaidIsReadAsTransformersReadsIt() throws IOException {
    assertEquals(
        Optional.of(
            Sampling.GREEDY
                .withTemperature(0.7)
                .withTopK(20)
                .withTopP(0.8)
                .withRepetitionPenalty(1.05)),
        said(
            "{\"do_sample\": true, \"temperature\": 0.7, \"top_k\": 20, \"top_p\": 0.8,"
                + " \"repetition_penalty\": 1.05}"));
    assertEquals(
        Optional.of(Sampling.GREEDY.withTemperature(1).withTopK(50)),
        said("{\"do_sample\": true}"));
    assertEquals(
        Optional.of(Sampling.GREEDY), said("{\"do_sample\": false, \"temperature\": 0.7}"));
  }

  @Test
  void whereNothingIsSaidNothingIsRecommended() throws IOException {
    assertEquals(Optional.empty(), said("{\"eos_token_id\": 2}"));
    assertEquals(Optional.empty(), ModelDefaults.sampling(directory.resolve("model.gguf")));
  }

  @Test
  void whatCannotBeIsNamed() {
    assertRefused(
        ModelException.class,
        () -> said("{\"do_sample\": true, \"top_p\": 7}"),
        "generation_config.json",
        "top-p");
  }
}
