package dev.semantic.mlx.array;

import static dev.semantic.mlx.array.CpuKernelsTest.assertBits;
import static dev.semantic.mlx.array.CpuKernelsTest.floats;
import static dev.semantic.mlx.array.CpuKernelsTest.with;
import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.mlx.MlxException;
import dev.semantic.mlx.array.CpuKernels.Activation;
import dev.semantic.mlx.array.CpuKernels.Held;
import dev.semantic.mlx.testing.RequiresNatives;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What lies between products, by our own kernels: against float64, and against themselves. */
@RequiresNatives
class LayerKernelsTest {
  private static final int[] WIDTHS = {1, 3, 15, 16, 17, 33, 100, 576};
  private static final int[] ROWS = {1, 2, 19, 300};

  static Stream<String> instructionSets() {
    return CpuKernelsTest.instructionSets();
  }

  @AfterEach
  void restore() {
    CpuKernelsTest.restoreKernels();
  }

  private static void assertNear(double expected, float actual, double relative, String what) {
    double tolerance = Math.abs(expected) * relative + 1e-34;
    boolean near = Math.abs(actual - expected) <= tolerance;
    boolean same = (float) expected == actual || (Double.isNaN(expected) && Float.isNaN(actual));
    if (!near && !same) {
      assertEquals(expected, actual, tolerance, what);
    }
  }

  /** The same bits from the first rows alone, on three threads, and from portable code. */
  private static void assertSameBits(
      String instructionSet, float[] all, int some, Function<Integer, float[]> first, int rows) {
    CpuKernels.limitThreads(3);
    assertBits(all, first.apply(rows), "three threads");
    CpuKernels.limitThreads(1);
    assertBits(all, first.apply(rows), "one thread");
    assertBits(Arrays.copyOf(all, some), first.apply(1), "one row");
    CpuKernels.use("portable");
    assertBits(all, first.apply(rows), "portable");
    CpuKernels.use(instructionSet);
  }

  private static double gated(Activation activation, double x) {
    return switch (activation) {
      case SILU -> x / (1 + Math.exp(-x));
      case GELU_TANH -> x / (1 + Math.exp(-exponent(x)));
    };
  }

  /** Of GELU; what it is off by is multiplied with its size. */
  private static double exponent(double x) {
    return 2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x);
  }

  @ParameterizedTest
  @MethodSource("instructionSets")
  void gatesAreNearFloat64(String instructionSet) {
    float[] odd = {
      0f,
      -0f,
      1e-30f,
      -1e-30f,
      87f,
      -87f,
      -88f,
      -200f,
      200f,
      1e30f,
      -1e30f,
      Float.NaN,
      Float.POSITIVE_INFINITY,
      Float.NEGATIVE_INFINITY
    };
    Random random = new Random(1);
    with(
        instructionSet,
        s -> {
          for (Activation activation : Activation.values()) {
            for (int width : WIDTHS) {
              for (int rows : ROWS) {
                float[] both = floats(random, rows * 2 * width, 3);
                for (int i = 0; i < odd.length; i++) {
                  both[random.nextInt(both.length)] = odd[i];
                }
                Function<Integer, float[]> first =
                    n ->
                        CpuKernels.gated(
                                s,
                                s.floats(Arrays.copyOf(both, n * 2 * width), 1, n, 2 * width),
                                activation)
                            .toFloats();
                float[] y = first.apply(rows);
                for (int i = 0; i < y.length; i++) {
                  int gate = i / width * 2 * width + i % width;
                  double expected = gated(activation, both[gate]) * both[gate + width];
                  boolean tiny = both[gate] < -80 && Float.isFinite(both[gate]);
                  if (!tiny) {
                    String what = activation + " of " + both[gate] + " * " + both[gate + width];
                    double steep =
                        activation == Activation.SILU ? 1 : 1 + Math.abs(exponent(both[gate]));
                    assertNear(expected, y[i], 5e-7 * steep, what);
                  } else if (Math.abs(both[gate + width]) < 300) {
                    assertEquals(0, y[i], 1e-30);
                  }
                }
                assertSameBits(instructionSet, y, width, first, rows);
              }
            }
          }
        });
  }

  @ParameterizedTest
  @MethodSource("instructionSets")
  void normsAreNearFloat64(String instructionSet) {
    Random random = new Random(2);
    with(
        instructionSet,
        s -> {
          for (int width : WIDTHS) {
            for (int rows : ROWS) {
              float[] x = floats(random, rows * width, 2);
              float[] weights = floats(random, width, 1);
              if (rows > 2) {
                x[width + random.nextInt(width)] = Float.NaN;
                x[2 * width + random.nextInt(width)] = Float.POSITIVE_INFINITY;
                Arrays.fill(x, 3 * width, 4 * width, 0);
              }
              Function<Integer, float[]> first =
                  n ->
                      CpuKernels.rmsNorm(
                              s,
                              s.floats(Arrays.copyOf(x, n * width), 1, n, width),
                              s.floats(weights, width),
                              1e-5f)
                          .toFloats();
              float[] y = first.apply(rows);
              for (int row = 0; row < rows; row++) {
                assertNormed(x, row * width, weights, 0, y, row * width, width);
              }
              assertSameBits(instructionSet, y, width, first, rows);
            }
          }
        });
  }

  private static void assertNormed(
      float[] x, int from, float[] weights, int weight, float[] y, int at, int width) {
    double squares = 0;
    for (int i = 0; i < width; i++) {
      squares += (double) x[from + i] * x[from + i];
    }
    double scale = 1 / Math.sqrt(squares / width + 1e-5);
    for (int i = 0; i < width; i++) {
      assertNear(
          x[from + i] * scale * weights[weight + i], y[at + i], 2e-6, "norm of " + x[from + i]);
    }
  }

  /** Queries and keys as they come out of a product: heads beside each other, token by token. */
  @ParameterizedTest
  @MethodSource("instructionSets")
  void everyHeadHasItsNormAndItsPositions(String instructionSet) {
    Random random = new Random(3);
    with(
        instructionSet,
        s -> {
          for (int width : new int[] {2, 6, 16, 20, 64, 256}) {
            int batch = 2;
            int tokens = 5;
            int heads = 3;
            float[] x = floats(random, batch * tokens * heads * width, 1);
            float[] weights = floats(random, heads * width, 1);
            float[] cos = floats(random, batch * tokens * width, 1);
            float[] sin = floats(random, batch * tokens * width, 1);
            MlxArray seen = Ops.transpose(s, s.floats(x, batch, tokens, heads, width), 0, 2, 1, 3);
            float[] normed =
                CpuKernels.rmsNorm(s, seen, s.floats(weights, heads, 1, width), 1e-5f).toFloats();
            float[] turned =
                CpuKernels.rotary(
                        s,
                        seen,
                        s.floats(cos, batch, 1, tokens, width),
                        s.floats(sin, batch, 1, tokens, width))
                    .toFloats();
            float[] expected = new float[turned.length];
            int at = 0;
            for (int b = 0; b < batch; b++) {
              for (int h = 0; h < heads; h++) {
                for (int t = 0; t < tokens; t++, at += width) {
                  int from = ((b * tokens + t) * heads + h) * width;
                  assertNormed(x, from, weights, h * width, normed, at, width);
                  int table = (b * tokens + t) * width;
                  for (int i = 0; i < width; i++) {
                    float other = x[from + (i + width / 2) % width];
                    expected[at + i] = x[from + i] * cos[table + i] + other * sin[table + i];
                  }
                }
              }
            }
            assertBits(expected, turned, "positions, as MLX's own operations give them");
          }
        });
  }

  /** What one sequence holds. */
  private record Past(float[] keys, float[] values, int tokens) {
    static Past random(Random random, int kvHeads, int tokens, int width) {
      int count = kvHeads * tokens * width;
      return new Past(floats(random, count, 1), floats(random, count, 1), tokens);
    }

    /** In pieces that end at these tokens; each is a view of a buffer that is longer. */
    Held held(Scope s, int kvHeads, int width, int... ends) {
      return heldFrom(0, s, kvHeads, width, ends);
    }

    /** Those from a token on. */
    Held heldFrom(int start, Scope s, int kvHeads, int width, int... ends) {
      List<MlxArray> pieces = new ArrayList<>();
      int from = start;
      for (int end : ends) {
        pieces.add(piece(s, keys, kvHeads, width, from, end));
        pieces.add(piece(s, values, kvHeads, width, from, end));
        from = end;
      }
      return new Held(start, pieces);
    }

    private MlxArray piece(Scope s, float[] all, int kvHeads, int width, int from, int to) {
      return Ops.slice(
          s,
          s.floats(all, 1, kvHeads, tokens, width),
          new int[] {0, 0, from, 0},
          new int[] {1, kvHeads, to, width});
    }

    double[] attended(float[] q, int query, int kvHead, int width, float scale, float softcap) {
      double[] scores = new double[tokens];
      double largest = Double.NEGATIVE_INFINITY;
      for (int t = 0; t < tokens; t++) {
        for (int i = 0; i < width; i++) {
          scores[t] += (double) q[query + i] * scale * keys[(kvHead * tokens + t) * width + i];
        }
        scores[t] = softcap == 0 ? scores[t] : softcap * Math.tanh(scores[t] / softcap);
        largest = Math.max(largest, scores[t]);
      }
      double[] answer = new double[width];
      double sum = 0;
      for (int t = 0; t < tokens; t++) {
        double weight = Math.exp(scores[t] - largest);
        sum += weight;
        for (int i = 0; i < width; i++) {
          answer[i] += weight * values[(kvHead * tokens + t) * width + i];
        }
      }
      for (int i = 0; i < width; i++) {
        answer[i] /= sum;
      }
      return answer;
    }
  }

  @ParameterizedTest
  @MethodSource("instructionSets")
  void attentionIsNearFloat64AndTheSameInPiecesAndInBatches(String instructionSet) {
    Random random = new Random(4);
    int[] lengths = {1, 2, 63, 64, 65, 200, 1000};
    with(
        instructionSet,
        s -> {
          for (int width : new int[] {5, 16, 20, 64, 80, 256}) {
            for (float softcap : new float[] {0, 3}) {
              int kvHeads = 1 + random.nextInt(3);
              int heads = kvHeads * (1 + random.nextInt(3));
              float scale = (float) (1 / Math.sqrt(width));
              float[] q = floats(random, lengths.length * heads * width, 2);
              List<Past> pasts = new ArrayList<>();
              List<Held> whole = new ArrayList<>();
              List<Held> cut = new ArrayList<>();
              for (int i = 0; i < lengths.length; i++) {
                Past past = Past.random(random, kvHeads, lengths[i], width);
                pasts.add(past);
                whole.add(past.held(s, kvHeads, width, lengths[i]));
                int one = 1 + lengths[i] / 3;
                cut.add(
                    lengths[i] < 3
                        ? past.held(s, kvHeads, width, lengths[i])
                        : past.held(s, kvHeads, width, one, one + 1, lengths[i]));
              }
              MlxArray queries = s.floats(q, lengths.length, heads, 1, width);
              CpuKernels.limitThreads(1);
              float[] y = CpuKernels.attention(s, queries, whole, 0, scale, softcap).toFloats();
              CpuKernels.limitThreads(3);
              assertBits(
                  y,
                  CpuKernels.attention(s, queries, cut, 0, scale, softcap).toFloats(),
                  "in pieces, on three threads");
              CpuKernels.use("portable");
              assertBits(
                  y,
                  CpuKernels.attention(s, queries, whole, 0, scale, softcap).toFloats(),
                  "portable");
              CpuKernels.use(instructionSet);
              for (int i = 0; i < lengths.length; i++) {
                int from = i * heads * width;
                float[] own = Arrays.copyOfRange(y, from, from + heads * width);
                MlxArray alone =
                    s.floats(Arrays.copyOfRange(q, from, from + heads * width), 1, heads, 1, width);
                assertBits(
                    own,
                    CpuKernels.attention(s, alone, List.of(whole.get(i)), 0, scale, softcap)
                        .toFloats(),
                    "alone");
                for (int head = 0; head < heads; head++) {
                  int query = from + head * width;
                  int kvHead = head / (heads / kvHeads);
                  double[] expected =
                      pasts.get(i).attended(q, query, kvHead, width, scale, softcap);
                  for (int k = 0; k < width; k++) {
                    assertEquals(expected[k], own[head * width + k], 2e-5, "of " + lengths[i]);
                  }
                }
              }
            }
          }
        });
  }

  @ParameterizedTest
  @MethodSource("instructionSets")
  void aKeyThatIsNoNumberSpoilsItsOwnHeadOnly(String instructionSet) {
    with(
        instructionSet,
        s -> {
          Past past = Past.random(new Random(5), 2, 100, 16);
          float[] q = floats(new Random(6), 4 * 16, 1);
          for (int token : new int[] {0, 50, 99}) {
            for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
              past.keys[token * 16 + 3] = bad; // of the first head
              List<Held> held = List.of(past.held(s, 2, 16, 100));
              float[] y =
                  CpuKernels.attention(s, s.floats(q, 1, 4, 1, 16), held, 0, 0.25f, 0).toFloats();
              past.keys[token * 16 + 3] = 0;
              for (int i = 0; i < y.length; i++) {
                if (i >= 2 * 16) {
                  assertTrue(Float.isFinite(y[i]));
                } else if (Float.isNaN(bad)) {
                  assertTrue(Float.isNaN(y[i]), "token " + token);
                }
              }
            }
          }
        });
  }

  @Test
  void whatDoesNotFitIsRefusedWithASentence() {
    with(
        "portable",
        s -> {
          MlxArray odd = s.zeros(DType.FLOAT32, 2, 3);
          MlxArray half = s.zeros(DType.FLOAT16, 2, 4);
          MlxArray q = s.zeros(DType.FLOAT32, 1, 3, 1, 8);
          MlxArray k = s.zeros(DType.FLOAT32, 1, 2, 4, 8);
          assertRefused(
              MlxException.class, () -> CpuKernels.gated(s, odd, Activation.SILU), "Half of a row");
          assertRefused(
              MlxException.class, () -> CpuKernels.gated(s, half, Activation.SILU), "float32");
          assertRefused(MlxException.class, () -> CpuKernels.rmsNorm(s, odd, q, 0), "weights");
          assertRefused(MlxException.class, () -> CpuKernels.rotary(s, q, q, q), "tables");
          assertAttentionRefused(s, q, new Held(0, List.of(k, k)), "Heads of keys");
          assertAttentionRefused(s, q, new Held(0, List.of(k, k, k)), "every piece");
          assertAttentionRefused(s, q, new Held(0, List.of()), "nothing");
          MlxArray five = s.zeros(DType.FLOAT32, 1, 2, 5, 8);
          assertAttentionRefused(s, five, new Held(0, List.of(k, k)), "not among");
          assertAttentionRefused(s, k, new Held(-1, List.of(k, k)), "before the first");
          assertAttentionRefused(s, k, new Held(0, List.of(k, five)), "do not fit");
          MlxArray none = CpuKernels.gated(s, s.zeros(DType.FLOAT32, 0, 4), Activation.SILU);
          s.eval(none);
          assertFalse(none.size() > 0);
        });
  }

  private static void assertAttentionRefused(Scope s, MlxArray q, Held held, String why) {
    assertRefused(
        MlxException.class, () -> CpuKernels.attention(s, q, List.of(held), 0, 1, 0), why);
  }

  /** Of a prompt of any length, behind any past, in pieces or not, near a window's end or not. */
  @ParameterizedTest
  @MethodSource("instructionSets")
  void everyTokenOfAPromptGetsTheBitsThatItGetsAlone(String instructionSet) {
    Random random = new Random(7);
    with(
        instructionSet,
        s -> {
          for (int[] shape :
              new int[][] { // width, heads of keys, heads for each, held, tokens of them, window
                {5, 1, 1, 3, 2, 0}, {16, 2, 3, 70, 70, 0}, {20, 1, 7, 131, 40, 0},
                {64, 3, 3, 300, 65, 0}, {64, 1, 17, 66, 3, 0}, {16, 2, 2, 300, 90, 33},
                {80, 1, 4, 200, 200, 64}, {256, 1, 4, 150, 33, 100}, {16, 1, 3, 128, 64, 1}
              }) {
            for (float softcap : new float[] {0, 3}) {
              assertTokensGetTheirBits(s, random, instructionSet, shape, softcap);
            }
          }
        });
  }

  private static void assertTokensGetTheirBits(
      Scope s, Random random, String instructionSet, int[] shape, float softcap) {
    int width = shape[0];
    int kvHeads = shape[1];
    int heads = kvHeads * shape[2];
    int all = shape[3];
    int tokens = shape[4];
    int window = shape[5];
    float scale = (float) (1 / Math.sqrt(width));
    Past past = Past.random(random, kvHeads, all, width);
    float[] q = floats(random, heads * tokens * width, 2);
    MlxArray queries = s.floats(q, 1, heads, tokens, width);
    CpuKernels.limitThreads(3);
    Held whole = past.held(s, kvHeads, width, all);
    float[] y = CpuKernels.attention(s, queries, List.of(whole), window, scale, softcap).toFloats();
    CpuKernels.limitThreads(1);
    Held cut = past.held(s, kvHeads, width, 1, all / 2 + 1, all);
    assertBits(
        y,
        CpuKernels.attention(s, queries, List.of(cut), window, scale, softcap).toFloats(),
        "in pieces, on one thread");
    CpuKernels.use("portable");
    assertBits(
        y,
        CpuKernels.attention(s, queries, List.of(whole), window, scale, softcap).toFloats(),
        "portable");
    CpuKernels.use(instructionSet);
    for (int token = 0; token < tokens; token++) {
      int end = all - tokens + token + 1;
      int from = window == 0 ? 0 : Math.max(0, end - window);
      MlxArray alone =
          Ops.contiguous(
              s,
              Ops.slice(
                  s, queries, new int[] {0, 0, token, 0}, new int[] {1, heads, token + 1, width}));
      Held seen = past.heldFrom(from, s, kvHeads, width, end);
      float[] own =
          CpuKernels.attention(s, alone, List.of(seen), window, scale, softcap).toFloats();
      for (int head = 0; head < heads; head++) {
        int at = (head * tokens + token) * width;
        assertBits(
            Arrays.copyOfRange(own, head * width, (head + 1) * width),
            Arrays.copyOfRange(y, at, at + width),
            "token " + token + " of " + Arrays.toString(shape));
      }
    }
  }

  /** Nor does anybody else's: a token sees nothing of what comes behind it. */
  @ParameterizedTest
  @MethodSource("instructionSets")
  void aKeyThatIsNoNumberDoesNotSpoilTheTokensBeforeIt(String instructionSet) {
    with(
        instructionSet,
        s -> {
          Past past = Past.random(new Random(8), 1, 100, 16);
          past.keys[90 * 16 + 3] = Float.NaN;
          past.values[90 * 16 + 5] = Float.NaN;
          float[] q = floats(new Random(9), 3 * 40 * 16, 1);
          float[] y =
              CpuKernels.attention(
                      s, s.floats(q, 1, 3, 40, 16), List.of(past.held(s, 1, 16, 100)), 0, 0.25f, 0)
                  .toFloats();
          for (int i = 0; i < y.length; i++) {
            boolean before = 60 + i / 16 % 40 < 90;
            assertEquals(before, Float.isFinite(y[i]), "number " + i);
          }
        });
  }
}
