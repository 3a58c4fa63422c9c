package dev.semantic.mlx.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.convert.ModelConversion.Dtype;
import dev.semantic.mlx.testing.RequiresNatives;
import dev.semantic.mlx.testing.TinyModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * mlx-lm loads what was converted, computes the same from it, and would have quantised it to the
 * same bits. Skipped, with one loud line, where there is no Python with mlx-lm; {@code
 * SEMANTIC_MLX_LM_PYTHON} names one that is not the first on the path.
 */
@RequiresNatives
class MlxLmLoadsTest {
  private static final float CLOSE = 1e-3f;

  /** What is written in 16 bits is computed so here, and in float32 there. */
  private static final float COARSE = 0.2f;

  @TempDir private Path home = Path.of("");
  private final Map<Path, Optional<Path>> converted = new LinkedHashMap<>();

  private static String python() {
    return System.getenv().getOrDefault("SEMANTIC_MLX_LM_PYTHON", "python3");
  }

  private static boolean hasMlxLm() {
    try {
      Process process =
          new ProcessBuilder(python(), "-c", "import mlx_lm, mlx.core")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return process.waitFor(2, TimeUnit.MINUTES) && process.exitValue() == 0;
    } catch (IOException e) {
      return false; // no such program
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /**
   * Notes where mlx-lm itself would find the numbers that were quantised; empty where it would not.
   */
  private void convert(ModelConversion.Builder conversion, Optional<Path> comparable) {
    Path target = home.resolve("converted-" + converted.size());
    conversion.build().write(target);
    converted.put(target, comparable);
  }

  private void convertAll() throws IOException {
    Optional<Path> nothing = Optional.empty();
    String[][] sources = {
      {"tiny-llama3-rope-f32", "llama"},
      {"tiny-qwen2-yarn-f32", "qwen2"},
      {"tiny-qwen3-bf16", "qwen3"},
      {"tiny-gemma2-bf16", "gemma2"},
      {"random", "gemma3"},
      {"tiny-phi3-long-f32", "phi3"}
    };
    for (String[] each : sources) {
      Path gguf = Sources.gguf(each[0], each[1], home);
      convert(ModelConversion.of(gguf), nothing);
      convert(ModelConversion.of(gguf).quantize(8, 32), nothing);
    }
    Path floats = TinyModels.of("tiny-llama-f32");
    for (int bits : ModelConversion.BITS) {
      convert(
          ModelConversion.of(floats).quantize(bits, bits % 2 == 0 ? 64 : 32), Optional.of(floats));
    }
    Path halves = TinyModels.of("tiny-qwen3-bf16");
    convert(ModelConversion.of(halves).quantize(4, 32), Optional.of(halves));
    convert(ModelConversion.of(TinyModels.of("tiny-llama-bias-mixed")), nothing);
    convert(ModelConversion.of(TinyModels.of("tiny-gemma3-vlm-q4")).dtype(Dtype.FLOAT16), nothing);
  }

  @Test
  void mlxLmComputesTheSameAndWouldHaveQuantisedTheSame() throws Exception {
    boolean here = hasMlxLm();
    if (!here) {
      System.out.println(
          "!!!!! TESTS ARE SKIPPED !!!!! " + python() + " has no mlx-lm: pip install mlx-lm");
    }
    assumeTrue(here, "no Python with mlx-lm");
    convertAll();
    JsonNode answers = ask();
    int compared = 0;
    try (MlxModelRuntime runtime = MlxModelRuntime.open()) {
      for (Path target : converted.keySet()) {
        JsonNode answer = answers.get(target.toString());
        float worst = worst(answer.get("logits"), Sources.logits(runtime, target));
        assertTrue(
            worst <= (halves(target) ? COARSE : CLOSE), () -> "%s: %s".formatted(target, worst));
        if (answer.has("wrong")) {
          assertEquals("[]", answer.get("wrong").toString());
          assertTrue(answer.get("matrices").intValue() > 10, "hardly a matrix was compared");
          compared++;
        }
      }
    }
    assertEquals(ModelConversion.BITS.size() + 1, compared);
  }

  private static float worst(JsonNode expected, float[] actual) {
    assertEquals(expected.size(), actual.length);
    float worst = 0;
    for (int i = 0; i < actual.length; i++) {
      worst = Math.max(worst, Math.abs(expected.get(i).floatValue() - actual[i]));
    }
    return worst;
  }

  private static boolean halves(Path model) {
    String dtype = TinyModels.json(model.resolve("config.json")).get("torch_dtype").asText();
    return !dtype.equals("float32");
  }

  private JsonNode ask() throws Exception {
    Path script =
        Path.of(
            Objects.requireNonNull(MlxLmLoadsTest.class.getResource("mlx_lm_loads.py")).toURI());
    List<String> line =
        new ArrayList<>(
            List.of(
                python(),
                script.toString(),
                new ObjectMapper().writeValueAsString(Sources.PROMPT)));
    converted.forEach(
        (target, source) -> line.add(target + source.map(path -> "=" + path).orElse("")));
    Path out = home.resolve("out.json");
    Path err = home.resolve("err.txt");
    Process process =
        new ProcessBuilder(line).redirectOutput(out.toFile()).redirectError(err.toFile()).start();
    if (!process.waitFor(4, TimeUnit.MINUTES)) {
      process.destroyForcibly();
    }
    assertEquals(0, process.waitFor(), () -> read(err));
    return new ObjectMapper().readTree(out.toFile());
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
