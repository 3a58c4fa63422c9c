package dev.semantic.mlx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.mlx.array.CpuKernels;
import dev.semantic.mlx.testing.Reference;
import dev.semantic.mlx.testing.RequiresModels;
import dev.semantic.model.ModelId;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The two real models compute what mlx-lm computed from the same files. */
@RequiresModels
class RealModelsTest {
  private static final float TOLERANCE = 0.02f;

  @ParameterizedTest(name = "{0}, prefill in chunks of {2}")
  @CsvSource({
    "smollm2-135m-instruct, SmolLM2-135M-Instruct.Q4_1, 512",
    "smollm2-135m-instruct, SmolLM2-135M-Instruct.Q4_1, 5",
    "gemma-3-270m, gemma-3-270m-q4_k_m, 512",
    "gemma-3-270m, gemma-3-270m-q4_k_m, 3"
  })
  void logitsAndGreedyTokensAreThoseOfTheReference(String name, String key, int chunk) {
    JsonNode cases = Reference.real().get(key);
    try (MlxModelRuntime runtime = MlxModelRuntime.open();
        PreparedModel prepared = runtime.prepare(new ModelId(name));
        LoadedModel model = prepared.load(LoadProgress.NONE)) {
      for (JsonNode expected : cases) {
        check(model, expected, chunk);
      }
    }
  }

  /** Which a host may choose; their tokens are the reference's, too. */
  @ParameterizedTest
  @CsvSource({
    "smollm2-135m-instruct, SmolLM2-135M-Instruct.Q4_1, 512",
    "smollm2-135m-instruct, SmolLM2-135M-Instruct.Q4_1, 5",
    "gemma-3-270m, gemma-3-270m-q4_k_m, 512",
    "gemma-3-270m, gemma-3-270m-q4_k_m, 3"
  })
  void ownKernelsDrawTheTokensOfTheReference(String name, String key, int chunk) {
    System.setProperty(CpuKernels.PROPERTY, "on");
    try (MlxModelRuntime runtime = MlxModelRuntime.open();
        PreparedModel prepared = runtime.prepare(new ModelId(name));
        LoadedModel model = prepared.load(LoadProgress.NONE)) {
      assumeTrue(runtime.mlx().computes().kernels(), "there are none here");
      assertEquals("quantised, float32 scales, own CPU kernels", prepared.spec().compute());
      for (JsonNode expected : Reference.real().get(key)) {
        check(model, expected, chunk);
      }
    } finally {
      System.clearProperty(CpuKernels.PROPERTY);
    }
  }

  /** The whole of this model is multiplied by them. */
  @Test
  void ownKernelsGiveAPromptInChunksTheBitsOfThePromptAtOnce() {
    System.setProperty(CpuKernels.PROPERTY, "on");
    try (MlxModelRuntime runtime = MlxModelRuntime.open();
        PreparedModel prepared = runtime.prepare(new ModelId("smollm2-135m-instruct"));
        LoadedModel model = prepared.load(LoadProgress.NONE)) {
      assumeTrue(runtime.mlx().computes().kernels(), "there are none here");
      float[] atOnce = logits(model, 300);
      for (int chunk : new int[] {7, 16, 100}) {
        assertArrayEquals(atOnce, logits(model, chunk), "in chunks of " + chunk);
      }
    } finally {
      System.clearProperty(CpuKernels.PROPERTY);
    }
  }

  private static float[] logits(LoadedModel model, int chunk) {
    int[] prompt = IntStream.range(0, 150).map(i -> 100 + 37 * i % 4000).toArray();
    try (Sequence sequence = model.open()) {
      float[] logits = {};
      for (int at = 0; at < prompt.length; at += chunk) {
        int end = Math.min(prompt.length, at + chunk);
        int[] some = Arrays.copyOfRange(prompt, at, end);
        logits = model.forward(List.of(new Chunk(sequence, some, end == prompt.length))).getFirst();
      }
      return logits;
    }
  }

  private static void check(LoadedModel model, JsonNode expected, int chunk) {
    int[] prompt = Reference.ints(expected.get("prompt_ids"));
    try (Sequence sequence = model.open()) {
      float[] logits = prefill(model, sequence, prompt, chunk);
      for (JsonNode top : expected.get("top8_after_prompt")) {
        assertEquals(
            top.get(1).floatValue(), logits[top.get(0).intValue()], TOLERANCE, "logit " + top);
      }
      int[] greedy = Reference.ints(expected.get("greedy"));
      assertArrayEquals(greedy, continueGreedily(model, sequence, logits, greedy.length));
      assertEquals(prompt.length + greedy.length, sequence.length());
    }
  }

  @ParameterizedTest
  @CsvSource({"smollm2-135m-instruct, 40", "gemma-3-270m, 40", "gemma-3-270m, 700"})
  void aRestoredSequenceGoesOnBitForBit(String name, int length) {
    int[] prompt = new int[length];
    Arrays.setAll(prompt, i -> 20 + i % 89);
    try (MlxModelRuntime runtime = MlxModelRuntime.open();
        PreparedModel prepared = runtime.prepare(new ModelId(name))) {
      KvSnapshot parked;
      float[] expected;
      try (LoadedModel model = prepared.load(LoadProgress.NONE);
          Sequence sequence = model.open()) {
        prefill(model, sequence, prompt, 256);
        parked = sequence.snapshot();
        expected = prefill(model, sequence, new int[] {30, 31, 32}, 1);
      }
      try (LoadedModel model = prepared.load(LoadProgress.NONE);
          Sequence sequence = model.restore(parked)) {
        assertArrayEquals(prompt, sequence.tokens());
        assertArrayEquals(expected, prefill(model, sequence, new int[] {30, 31, 32}, 1));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"smollm2-135m-instruct", "gemma-3-270m"})
  void agentsOfOneBatchSayWhatEachWouldSayAlone(String name) {
    int[][] prompts = {{5, 6, 7}, {50, 60, 70, 80, 90, 100}, {9}};
    try (MlxModelRuntime runtime = MlxModelRuntime.open();
        PreparedModel prepared = runtime.prepare(new ModelId(name));
        LoadedModel model = prepared.load(LoadProgress.NONE)) {
      List<int[]> alone = new ArrayList<>();
      for (int[] prompt : prompts) {
        try (Sequence sequence = model.open()) {
          float[] logits = prefill(model, sequence, prompt, 512);
          alone.add(continueGreedily(model, sequence, logits, 8));
        }
      }
      List<Sequence> sequences = new ArrayList<>();
      int[][] together = new int[prompts.length][8];
      int[] next = new int[prompts.length];
      for (int i = 0; i < prompts.length; i++) {
        sequences.add(model.open());
        next[i] = argmax(prefill(model, sequences.get(i), prompts[i], 512));
      }
      for (int step = 0; step < 8; step++) {
        List<Chunk> batch = new ArrayList<>();
        for (int i = 0; i < prompts.length; i++) {
          together[i][step] = next[i];
          batch.add(new Chunk(sequences.get(i), new int[] {next[i]}, true));
        }
        List<float[]> logits = model.forward(batch);
        for (int i = 0; i < prompts.length; i++) {
          next[i] = argmax(logits.get(i));
        }
      }
      for (int i = 0; i < prompts.length; i++) {
        assertArrayEquals(alone.get(i), together[i], "agent " + i);
      }
    }
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

  private static int[] continueGreedily(
      LoadedModel model, Sequence sequence, float[] logits, int count) {
    int[] tokens = new int[count];
    float[] last = logits;
    for (int i = 0; i < count; i++) {
      tokens[i] = argmax(last);
      last = model.forward(List.of(new Chunk(sequence, new int[] {tokens[i]}, true))).getFirst();
    }
    return tokens;
  }

  private static int argmax(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    return best;
  }
}
