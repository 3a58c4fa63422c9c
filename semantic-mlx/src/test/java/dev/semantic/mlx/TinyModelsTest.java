package dev.semantic.mlx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.array.LiveHandles;
import dev.semantic.mlx.load.ComputePolicy.WeightFormat;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.mlx.testing.Reference;
import dev.semantic.mlx.testing.RequiresNatives;
import dev.semantic.mlx.testing.TinyModels;
import dev.semantic.model.ModelId;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Small models of every architecture and form compute what mlx-lm computes from the same files. */
@RequiresNatives
class TinyModelsTest {
  /** Of full precision; else what 16 bits and quantised products may differ by. */
  private static final float EXACT = 1e-3f;

  private static final float COARSE = 5e-2f;

  static List<Path> models() {
    return TinyModels.all();
  }

  private interface Check {
    void on(PreparedModel prepared, LoadedModel model, JsonNode expected, float tolerance);
  }

  /** Holds for every form that a budget chooses; leaves nothing behind. */
  private static void with(Path directory, Check check) {
    for (ByteSize budget : List.of(ByteSize.ofGiB(64), new ByteSize(1))) {
      try (MlxModelRuntime runtime =
          MlxModelRuntime.open(ModelCatalog.ofUser(), new MemoryBudget(budget))) {
        with(runtime, directory, tolerance(directory), check);
      }
    }
  }

  private static void with(MlxModelRuntime runtime, Path directory, float tolerance, Check check) {
    long handles = LiveHandles.count();
    long active = runtime.memory().activeBytes();
    try (PreparedModel prepared = runtime.prepare(new ModelId(directory.toString()));
        LoadedModel model = prepared.load(LoadProgress.NONE)) {
      assertEquals(prepared.spec().weightSize().bytes(), model.bytes());
      check.on(prepared, model, TinyModels.expected(directory), tolerance);
    }
    assertEquals(handles, LiveHandles.count());
    assertEquals(active, runtime.memory().activeBytes());
  }

  /** Large models of 16 bits have no other forms than these. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("models")
  void anyFormGivesAboutTheSame(Path directory) {
    float tolerance = Math.max(tolerance(directory), heldOtherwise(directory));
    for (WeightFormat weightFormat : WeightFormat.values()) {
      try (MlxModelRuntime runtime = MlxModelRuntime.open(weightFormat)) {
        with(
            runtime,
            directory,
            tolerance,
            (prepared, model, expected, wanted) -> {
              int[] prompt = Reference.ints(expected.get("prompt"));
              try (Sequence sequence = model.open()) {
                float[] logits = prefill(model, sequence, prompt, 10);
                compare(expected.get("logits_last"), logits, wanted, "as " + weightFormat);
              }
            });
      }
    }
  }

  /**
   * Sums of 16 bits differ with their order by a part of the largest logit: by one step of
   * bfloat16, and by more where the reference rounds every summand (its quantised products on a
   * CPU).
   */
  private static float heldOtherwise(Path directory) {
    JsonNode config = TinyModels.json(directory.resolve("config.json"));
    if (config.path("torch_dtype").asText().equals("float32")) {
      return 0;
    }
    float largest = 0;
    for (JsonNode logit : TinyModels.expected(directory).get("logits_last")) {
      largest = Math.max(largest, Math.abs(logit.floatValue()));
    }
    return largest * (config.has("quantization") ? 1f / 8 : 1f / 64);
  }

  private static float tolerance(Path directory) {
    JsonNode config = TinyModels.json(directory.resolve("config.json"));
    boolean full =
        config.path("torch_dtype").asText().equals("float32") && !config.has("quantization");
    return full ? EXACT : COARSE;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("models")
  void aPromptGivesTheLogitsOfTheReferenceHoweverItIsCut(Path directory) {
    with(
        directory,
        (prepared, model, expected, tolerance) -> {
          int[] prompt = Reference.ints(expected.get("prompt"));
          for (int chunk : new int[] {prompt.length, 10, 14, 1}) {
            try (Sequence sequence = model.open()) {
              float[] logits = prefill(model, sequence, prompt, chunk);
              compare(expected.get("logits_last"), logits, tolerance, "in chunks of " + chunk);
            }
          }
          try (Sequence sequence = model.open()) {
            float[] logits = prefill(model, sequence, Arrays.copyOf(prompt, 8), 8);
            compare(expected.get("logits_pos_7"), logits, tolerance, "after eight");
          }
        });
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("models")
  void greedyTokensAreThoseOfTheReferenceAlsoAfterParking(Path directory) {
    with(
        directory,
        (prepared, model, expected, tolerance) -> {
          int[] prompt = Reference.ints(expected.get("prompt"));
          int[] greedy = Reference.ints(expected.get("greedy"));
          KvSnapshot parked;
          float[] first;
          try (Sequence sequence = model.open()) {
            first = prefill(model, sequence, prompt, 10);
            parked = sequence.snapshot();
            continued(model, sequence, first, greedy, tolerance);
          }
          try (Sequence sequence = model.restore(parked)) {
            assertArrayEquals(prompt, sequence.tokens());
            continued(model, sequence, first, greedy, tolerance);
          }
        });
  }

  /** Exactly, as long as the two likeliest are further apart than the tolerance. */
  private static void continued(
      LoadedModel model, Sequence sequence, float[] logits, int[] greedy, float tolerance) {
    float[] last = logits;
    int clear = 0;
    for (int token : greedy) {
      int best = argmax(last);
      if (margin(last, best) > tolerance) {
        assertEquals(token, best, "token " + clear);
        clear++;
      }
      last = model.forward(List.of(new Chunk(sequence, new int[] {token}, true))).getFirst();
    }
    assertTrue(clear > greedy.length / 2, () -> "hardly a token is clear");
  }

  private static float margin(float[] logits, int best) {
    float second = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < logits.length; i++) {
      second = i == best ? second : Math.max(second, logits[i]);
    }
    return logits[best] - second;
  }

  private static void compare(JsonNode expected, float[] actual, float tolerance, String how) {
    assertEquals(expected.size(), actual.length);
    float worst = 0;
    for (int i = 0; i < actual.length; i++) {
      worst = Math.max(worst, Math.abs(expected.get(i).floatValue() - actual[i]));
    }
    float most = worst;
    assertTrue(most <= tolerance, () -> "logits differ by " + most + " " + how);
  }

  private static float[] prefill(LoadedModel model, Sequence sequence, int[] tokens, int chunk) {
    float[] logits = {};
    for (int at = 0; at < tokens.length; at += chunk) {
      int end = Math.min(tokens.length, at + chunk);
      int[] part = Arrays.copyOfRange(tokens, at, end);
      logits = model.forward(List.of(new Chunk(sequence, part, end == tokens.length))).getFirst();
    }
    return logits;
  }

  private static int argmax(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    return best;
  }
}
