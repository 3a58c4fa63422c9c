package dev.semantic.mlx.array;

import static dev.semantic.mlx.array.Numbers.assertClose;
import static dev.semantic.mlx.array.Numbers.make;
import static dev.semantic.mlx.array.Numbers.some;

import dev.semantic.mlx.testing.RequiresNatives;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/**
 * What models are made of: products, reductions, norms, positions, attention, quantised weights.
 */
@RequiresNatives
class ModelOpsTest {
  @Test
  void productsOfMatrices() {
    float[] a = some(1, 2 * 3 * 4);
    float[] b = some(2, 4 * 5);
    float[] c = some(3, 5);
    float[] product = make(30, i -> dot(4, k -> a[i / 5 * 4 + k], k -> b[k * 5 + i % 5]));
    OnMlx.run(
        s -> {
          MlxArray left = s.floats(a, 2, 3, 4);
          MlxArray right = s.floats(b, 4, 5);
          assertClose(product, Ops.matmul(s, left, right), 2, 3, 5);
          assertClose(
              make(30, i -> product[i] + c[i % 5]),
              Ops.addmm(s, s.floats(c, 5), left, right),
              2,
              3,
              5);
        });
  }

  private interface At {
    double get(int index);
  }

  private static double dot(int length, At a, At b) {
    double sum = 0;
    for (int k = 0; k < length; k++) {
      sum += a.get(k) * b.get(k);
    }
    return sum;
  }

  @Test
  void softmaxOfNumbersThatOverflowExp() {
    OnMlx.run(
        s -> {
          MlxArray x = s.floats(new float[] {1000, 1001, 999, 0}, 1, 4);
          double sum = 1 + Math.exp(-1) + Math.exp(-2);
          float[] expected = {
            (float) (Math.exp(-1) / sum), (float) (1 / sum), (float) (Math.exp(-2) / sum), 0
          };
          assertClose(expected, Ops.softmax(s, x, -1), 1, 4);
        });
  }

  @Test
  void rmsNormWithAndWithoutWeight() {
    float[] x = some(4, 2 * 8);
    float[] weight = some(5, 8);
    float eps = 1e-2f;
    float[] plain =
        make(
            16,
            i -> {
              int row = i / 8 * 8;
              return x[i] / Math.sqrt(dot(8, k -> x[row + k], k -> x[row + k]) / 8 + eps);
            });
    OnMlx.run(
        s -> {
          MlxArray in = s.floats(x, 2, 8);
          assertClose(plain, Ops.rmsNorm(s, in, null, eps), 2, 8);
          assertClose(
              make(16, i -> plain[i] * weight[i % 8]),
              Ops.rmsNorm(s, in, s.floats(weight, 8), eps),
              2,
              8);
        });
  }

  private static float[] rotated(float[] x, float[] wavelengths, int tokens, int[] offsets) {
    int half = wavelengths.length;
    int width = 2 * half;
    return make(
        x.length,
        i -> {
          int row = i / width * width;
          int j = i % width % half;
          int batch = i / (x.length / offsets.length);
          double angle = (offsets[batch] + i / width % tokens) / (double) wavelengths[j];
          double first = x[row + j];
          double second = x[row + half + j];
          return i % width < half
              ? first * Math.cos(angle) - second * Math.sin(angle)
              : first * Math.sin(angle) + second * Math.cos(angle);
        });
  }

  @Test
  void ropeRotatesHalvesByPosition() {
    float[] x = some(6, 2 * 2 * 3 * 8);
    float[] wavelengths = {1, 10, 100, 1000};
    OnMlx.run(
        s -> {
          MlxArray in = s.floats(x, 2, 2, 3, 8);
          MlxArray waves = s.floats(wavelengths, 4);
          assertClose(
              rotated(x, wavelengths, 3, new int[] {5, 5}),
              Ops.rope(s, in, 8, 5, waves),
              2,
              2,
              3,
              8);
          assertClose(
              rotated(x, wavelengths, 3, new int[] {5, 70}),
              Ops.rope(s, in, 8, s.ints(5, 70), waves),
              2,
              2,
              3,
              8);
        });
  }

  private interface Seen {
    boolean by(int query, int key);
  }

  /** One sequence; {@code heads / kvHeads} query heads share a key head. */
  private static float[] attended(
      float[] q, float[] k, float[] v, int heads, int queries, int keys, int width, Seen seen) {
    int kvHeads = k.length / (keys * width);
    return make(
        q.length,
        i -> {
          int head = i / (queries * width);
          int query = i / width % queries;
          int kv = head / (heads / kvHeads) * keys * width;
          double sum = 0;
          double total = 0;
          for (int key = 0; key < keys; key++) {
            if (seen.by(query, key)) {
              int row = kv + key * width;
              int at = i - i % width;
              double e = Math.exp(0.5 * dot(width, c -> q[at + c], c -> k[row + c]));
              total += e;
              sum += e * v[row + i % width];
            }
          }
          return sum / total;
        });
  }

  @Test
  void attentionWithEachMask() {
    int keys = 5;
    int queries = 3;
    float[] q = some(7, 4 * queries * 8);
    float[] k = some(8, 2 * keys * 8);
    float[] v = some(9, 2 * keys * 8);
    OnMlx.run(
        s -> {
          MlxArray qs = s.floats(q, 1, 4, queries, 8);
          MlxArray ks = s.floats(k, 1, 2, keys, 8);
          MlxArray vs = s.floats(v, 1, 2, keys, 8);
          assertClose(
              attended(q, k, v, 4, queries, keys, 8, (i, j) -> true),
              Ops.attention(s, qs, ks, vs, 0.5f, Ops.Mask.NONE),
              1,
              4,
              queries,
              8);
          assertClose(
              attended(q, k, v, 4, queries, keys, 8, (i, j) -> j <= i + keys - queries),
              Ops.attention(s, qs, ks, vs, 0.5f, Ops.Mask.CAUSAL),
              1,
              4,
              queries,
              8);
          MlxArray last = s.ints(2, 3, 4);
          MlxArray near =
              Elementwise.less(
                  s,
                  Ops.expandDims(s, last, 1),
                  Elementwise.add(s, Ops.arange(s, 0, keys, 1, DType.INT32), s.ints(2)));
          assertClose(
              attended(q, k, v, 4, queries, keys, 8, (i, j) -> i + 2 < j + 2),
              Ops.attention(s, qs, ks, vs, 0.5f, Ops.Mask.of(near)),
              1,
              4,
              queries,
              8);
        });
  }

  @Test
  void quantisedWeights() {
    int in = 64;
    int out = 3;
    int group = 32;
    float[] scales = make(out * in / group, i -> 0.01 + i * 0.003);
    float[] biases = make(out * in / group, i -> -0.1 + i * 0.02);
    int[] codes = new java.util.Random(3).ints((long) out * in, 0, 16).toArray();
    int[] packed = new int[out * in / 8];
    for (int i = 0; i < codes.length; i++) {
      packed[i / 8] |= codes[i] << (i % 8 * 4);
    }
    float[] weights = make(out * in, i -> codes[i] * scales[i / group] + biases[i / group]);
    float[] x = some(10, 2 * in);
    OnMlx.run(
        s -> {
          MlxArray w = s.copyOf(MemorySegment.ofArray(packed), DType.UINT32, out, in / 8);
          MlxArray sc = s.floats(scales, out, in / group);
          MlxArray bi = s.floats(biases, out, in / group);
          assertClose(weights, Ops.dequantize(s, w, sc, bi, group, 4), out, in);
          assertClose(
              make(2 * out, i -> dot(in, k -> x[i / out * in + k], k -> weights[i % out * in + k])),
              Ops.quantizedMatmul(s, s.floats(x, 2, in), w, sc, bi, group, 4),
              2,
              out);
        });
  }
}
