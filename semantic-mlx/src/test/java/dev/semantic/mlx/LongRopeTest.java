package dev.semantic.mlx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.semantic.mlx.array.LiveHandles;
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
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A small Phi 3 whose sequences of more than 16 tokens turn by other factors, beside one that turns
 * by the near factors always and one that turns by the far ones: it computes as the first up to its
 * original context, and as the second beyond.
 */
@RequiresNatives
class LongRopeTest {
  private static final int ORIGINAL = 16;
  private static final float TOLERANCE = 1e-4f;
  private static final double[] NEAR = {1, 1, 1, 1, 1, 1};
  private static final double[] FAR = {1, 1.5, 2, 3, 4, 6};

  @TempDir private Path directory;
  private MlxModelRuntime runtime;
  private LoadedModel model;
  private LoadedModel near;
  private LoadedModel far;

  @BeforeEach
  void load() throws IOException {
    runtime = MlxModelRuntime.open();
    model = load("model", NEAR, FAR);
    near = load("near", NEAR, NEAR);
    far = load("far", FAR, FAR);
  }

  @AfterEach
  void close() {
    runtime.close();
  }

  private LoadedModel load(String name, double[] shortFactors, double[] longFactors)
      throws IOException {
    Path source = TinyModels.of("tiny-phi3-long-f32");
    Path copy = Files.createDirectory(directory.resolve(name));
    Files.copy(source.resolve("model.safetensors"), copy.resolve("model.safetensors"));
    ObjectNode config = (ObjectNode) TinyModels.json(source.resolve("config.json"));
    config.put("original_max_position_embeddings", ORIGINAL);
    ObjectNode scaling = (ObjectNode) config.get("rope_scaling");
    scaling.set("short_factor", new ObjectMapper().valueToTree(shortFactors));
    scaling.set("long_factor", new ObjectMapper().valueToTree(longFactors));
    Files.writeString(copy.resolve("config.json"), config.toString());
    PreparedModel prepared = runtime.prepare(new ModelId(copy.toString()));
    return prepared.load(LoadProgress.NONE);
  }

  private static int[] text(int length) {
    return IntStream.range(0, length).map(i -> (i * 37 + 5) % 96).toArray();
  }

  private static float[] next(LoadedModel model, Sequence sequence, int... tokens) {
    return model.forward(List.of(new Chunk(sequence, tokens, true))).getFirst();
  }

  /** Of a sequence that was computed in one go. */
  private static float[] expected(LoadedModel of, int length) {
    try (Sequence sequence = of.open()) {
      return next(of, sequence, text(length));
    }
  }

  private float[] expected(int length) {
    return expected(length <= ORIGINAL ? near : far, length);
  }

  @Test
  void theTwoDiffer() {
    for (int length : new int[] {8, 30}) {
      float[] one = expected(near, length);
      float[] other = expected(far, length);
      double most =
          IntStream.range(0, one.length).mapToDouble(i -> one[i] - other[i]).max().orElse(0);
      assertTrue(most > 100 * TOLERANCE, "by " + most);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 7, 16, 17, 40})
  void aTextIsComputedAsItsLengthWantsItHoweverItIsCut(int chunk) {
    for (int length : new int[] {8, ORIGINAL, ORIGINAL + 1, 40}) {
      int[] text = text(length);
      try (Sequence sequence = model.open()) {
        float[] logits = {};
        for (int from = 0; from < length; from += chunk) {
          logits =
              next(model, sequence, Arrays.copyOfRange(text, from, Math.min(length, from + chunk)));
        }
        assertArrayEquals(expected(length), logits, TOLERANCE, length + " tokens");
        assertArrayEquals(text, sequence.tokens());
      }
    }
  }

  @Test
  void oneOfABatchMayGrowBeyondWhileOthersDoNot() {
    int[] text = text(40);
    try (Sequence grows = model.open();
        Sequence stays = model.open();
        Sequence isLong = model.open()) {
      next(model, grows, text(ORIGINAL - 1));
      next(model, stays, text(5));
      next(model, isLong, text(30));
      for (int step = 0; step < 4; step++) {
        List<Chunk> batch =
            List.of(
                new Chunk(grows, new int[] {text[ORIGINAL - 1 + step]}, true),
                new Chunk(stays, new int[] {text[5 + step]}, true),
                new Chunk(isLong, new int[] {text[30 + step]}, true));
        List<float[]> logits = model.forward(batch);
        assertArrayEquals(expected(ORIGINAL + step), logits.get(0), TOLERANCE, "grows " + step);
        assertArrayEquals(expected(6 + step), logits.get(1), TOLERANCE, "stays " + step);
        assertArrayEquals(expected(31 + step), logits.get(2), TOLERANCE, "is long " + step);
      }
    }
  }

  @Test
  void whatWasComputedForTheOtherLengthIsNotUsed() {
    try (Sequence isLong = model.open();
        Sequence isShort = model.open()) {
      next(model, isLong, text(30));
      next(model, isShort, text(10));
      assertFalse(isLong.trim(ORIGINAL));
      assertEquals(30, isLong.length());
      assertTrue(isLong.fork(8).isEmpty());
      assertTrue(isShort.fork(8).isEmpty(), "it may have to be computed anew");
      assertTrue(isShort.trim(8));
      assertTrue(isLong.trim(20));
      int[] text = text(21);
      assertArrayEquals(expected(9), next(model, isShort, text[8]), TOLERANCE);
      assertArrayEquals(expected(21), next(model, isLong, text[20]), TOLERANCE);
      try (Sequence fork = isLong.fork(18).orElseThrow()) {
        assertArrayEquals(expected(19), next(model, fork, text[18]), TOLERANCE);
      }
    }
  }

  @Test
  void aParkedSequenceGoesOnAsItsLengthWantsIt() {
    int[] text = text(40);
    for (int length : new int[] {8, ORIGINAL, 30}) {
      try (Sequence sequence = model.open()) {
        next(model, sequence, text(length));
        assertEquals(length > ORIGINAL, sequence.snapshot().imported(), "nobody else's");
        try (Sequence back = model.restore(sequence.snapshot())) {
          assertArrayEquals(
              expected(length + 1), next(model, back, text[length]), TOLERANCE, length + " tokens");
        }
      }
    }
  }

  @Test
  void computingAnewLeavesNothingBehind() {
    long handles = LiveHandles.count();
    long active = runtime.memory().activeBytes();
    try (Sequence sequence = model.open()) {
      next(model, sequence, text(10));
      next(model, sequence, text(30));
    }
    assertEquals(handles, LiveHandles.count());
    assertEquals(active, runtime.memory().activeBytes());
  }
}
