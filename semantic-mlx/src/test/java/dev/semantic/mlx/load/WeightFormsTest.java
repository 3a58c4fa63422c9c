package dev.semantic.mlx.load;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.MlxSession;
import dev.semantic.mlx.array.Ops;
import dev.semantic.mlx.array.Scope;
import dev.semantic.mlx.checkpoint.Checkpoint;
import dev.semantic.mlx.checkpoint.Checkpoints;
import dev.semantic.mlx.checkpoint.TensorInfo;
import dev.semantic.mlx.layers.Embedding;
import dev.semantic.mlx.layers.Linear;
import dev.semantic.mlx.load.ComputePolicy.WeightFormat;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.mlx.testing.RequiresModels;
import dev.semantic.mlx.testing.RequiresNatives;
import dev.semantic.model.ModelId;
import dev.semantic.spi.LoadProgress;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Weights in every form that a policy chooses, against the numbers of the file. */
class WeightFormsTest {
  private static final String LAYER = "model.layers.3.";
  private static final String[] MODULES = {
    LAYER + "self_attn.q_proj", LAYER + "self_attn.k_proj", LAYER + "self_attn.v_proj"
  };
  private static final String[] QKV =
      Arrays.stream(MODULES).map(module -> module + ".weight").toArray(String[]::new);

  static List<ComputePolicy> policies() {
    return List.of(
        new ComputePolicy(WeightFormat.EXPANDED, DType.FLOAT32, false, false),
        new ComputePolicy(WeightFormat.QUANTISED, DType.FLOAT32, false, false),
        new ComputePolicy(WeightFormat.NATIVE, DType.BFLOAT16, false, false),
        new ComputePolicy(WeightFormat.QUANTISED, DType.BFLOAT16, true, false));
  }

  @Test
  @RequiresNatives
  void bfloat16IsRoundedAsMlxRoundsIt() {
    float[] values = new float[20_000];
    Random random = new Random(11);
    for (int i = 64; i < values.length; i++) {
      values[i] = Float.intBitsToFloat(random.nextInt());
    }
    for (int i = 0; i < 64; i++) { // ties, and what is next to them
      values[i] = Float.intBitsToFloat(0x3f800000 + 0x8000 * i + i % 3 - 1);
    }
    values[64] = Float.POSITIVE_INFINITY;
    values[65] = -Float.MAX_VALUE;
    short[] ours = new short[values.length];
    FloatPacking.write(values, values.length, DType.BFLOAT16, MemorySegment.ofArray(ours), 0);
    MlxSession session = MlxSession.open();
    short[] theirs = new short[values.length];
    session
        .owner()
        .run(
            () -> {
              try (Scope s = session.scope("rounding")) {
                MlxArray rounded = Ops.astype(s, s.floats(values, values.length), DType.BFLOAT16);
                rounded.read(MemorySegment.ofArray(theirs));
              }
            });
    for (int i = 0; i < values.length; i++) {
      if (Float.isNaN(values[i])) {
        assertEquals(true, Float.isNaN(Float.intBitsToFloat(ours[i] << 16)), "no number " + i);
      } else {
        assertEquals(theirs[i], ours[i], "rounding " + values[i]);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("policies")
  @RequiresModels
  void matricesAreTheFilesOneBelowTheOther(ComputePolicy policy) {
    load(
        policy,
        (loaded, checkpoint) -> {
          float[] expected = expanded(checkpoint, QKV);
          float[] actual =
              switch (loaded.qkv()) {
                case Linear.Dense(MlxArray transposed) ->
                    Ops.transpose(loaded.scope(), transposed, 1, 0).toFloats();
                case Linear.Affine affine -> numbers(loaded.scope(), affine);
                default -> throw new AssertionError("one form, one matrix");
              };
          assertClose(policy, expected, actual);
        });
  }

  @ParameterizedTest
  @MethodSource("policies")
  @RequiresModels
  void theEmbeddingIsTableAndHead(ComputePolicy policy) {
    load(
        policy,
        (loaded, checkpoint) -> {
          TensorInfo info = checkpoint.info("model.embed_tokens.weight");
          int[] tokens = {0, 7, info.rows() - 1};
          Scope s = loaded.scope();
          MlxArray rows = loaded.embedding().of(s, s.ints(tokens, 1, tokens.length));
          float[] actual = Ops.astype(s, rows, DType.FLOAT32).toFloats();
          for (int i = 0; i < tokens.length; i++) {
            float[] expected = new float[info.columns()];
            checkpoint.expand("model.embed_tokens.weight", tokens[i], 1, expected);
            int at = i * info.columns();
            assertClose(policy, expected, Arrays.copyOfRange(actual, at, at + expected.length));
          }
          boolean affine = loaded.embedding() instanceof Embedding.Affine;
          assertEquals(policy.weightFormat() != WeightFormat.EXPANDED, affine);
          assertEquals(affine, loaded.embedding().asHead() instanceof Linear.Affine);
        });
  }

  @ParameterizedTest
  @MethodSource("policies")
  @RequiresModels
  void normsOfHeadsAreRepeatedForEachHead(ComputePolicy policy) {
    load(
        policy,
        (loaded, checkpoint) -> {
          float[] q = expanded(checkpoint, LAYER + "input_layernorm.weight");
          float[] k = expanded(checkpoint, LAYER + "post_attention_layernorm.weight");
          int width = q.length;
          assertArrayEquals(new int[] {5, 1, width}, loaded.norms().shape());
          float[] all = Ops.astype(loaded.scope(), loaded.norms(), DType.FLOAT32).toFloats();
          for (int head = 0; head < 5; head++) {
            assertClose(
                policy,
                head < 3 ? q : k,
                Arrays.copyOfRange(all, head * width, (head + 1) * width));
          }
        });
  }

  /** A few weights of a model. */
  private record Loaded(Scope scope, Linear qkv, Embedding embedding, MlxArray norms) {}

  private static void load(ComputePolicy policy, BiConsumer<Loaded, Checkpoint> check) {
    MlxSession session = MlxSession.open();
    ModelId smollm2 = new ModelId("smollm2-135m-instruct");
    try (Checkpoint checkpoint = Checkpoints.open(ModelCatalog.ofUser().resolve(smollm2))) {
      Scope scope = session.owner().call(() -> session.scope("some weights"));
      try {
        WeightAllocator weights = new WeightAllocator(scope, checkpoint, policy);
        Loaded[] loaded = new Loaded[1];
        WeightReader reader =
            session
                .owner()
                .call(
                    () -> {
                      loaded[0] =
                          new Loaded(
                              scope,
                              weights.linear(false, MODULES),
                              weights.embedding("model.embed_tokens"),
                              weights.headNorms(
                                  LAYER + "input_layernorm",
                                  3,
                                  LAYER + "post_attention_layernorm",
                                  2));
                      return weights.allocate();
                    });
        reader.read(LoadProgress.NONE, new LoadThrottle(() -> false));
        session.owner().run(() -> check.accept(loaded[0], checkpoint));
      } finally {
        session.owner().run(scope::close);
      }
    }
  }

  private static float[] expanded(Checkpoint checkpoint, String... names) {
    int size = Arrays.stream(names).mapToInt(n -> (int) checkpoint.info(n).elements()).sum();
    float[] all = new float[size];
    int at = 0;
    for (String name : names) {
      TensorInfo info = checkpoint.info(name);
      float[] part = new float[(int) info.elements()];
      checkpoint.expand(name, 0, info.rows(), part);
      System.arraycopy(part, 0, all, at, part.length);
      at += part.length;
    }
    return all;
  }

  private static float[] numbers(Scope s, Linear.Affine affine) {
    MlxArray numbers =
        Ops.dequantize(
            s,
            affine.weights(),
            Ops.astype(s, affine.scales(), DType.FLOAT32),
            Ops.astype(s, affine.biases(), DType.FLOAT32),
            affine.groupSize(),
            affine.bits());
    return numbers.toFloats();
  }

  /** Expanded weights to the bit; quantised ones as far as bfloat16 has their scales. */
  private static void assertClose(ComputePolicy policy, float[] expected, float[] actual) {
    assertEquals(expected.length, actual.length);
    float largest = 0;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    float tolerance = policy.activations() == DType.FLOAT32 ? 0 : largest / 64;
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], actual[i], tolerance, "number " + i);
    }
  }
}
