package dev.semantic.mlx.kv;

import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Scope;
import java.util.Arrays;

/** Queries, keys and values of a sequence: what a token has depends on its number and its place. */
record Told(int[] tokens) {
  static final int HEADS = 4;
  static final int KV_HEADS = 2;
  static final int HEAD_DIM = 16;
  static final float SCALE = 0.25f;

  static Told of(int seed, int length) {
    int[] tokens = new int[length];
    for (int i = 0; i < length; i++) {
      tokens[i] = seed + i;
    }
    return new Told(tokens);
  }

  /** The first {@code length} tokens, and then others. */
  Told butThen(int length, Told more) {
    int[] all = Arrays.copyOf(tokens, length + more.tokens.length);
    System.arraycopy(more.tokens, 0, all, length, more.tokens.length);
    return new Told(all);
  }

  float number(int which, int head, int at, int dim) {
    long seed = ((tokens[at] * 31L + at) * 7 + which) * 64 + head * 17L + dim * 5L;
    long mixed = (seed ^ seed >>> 7) * 0x9E3779B97F4A7C15L;
    return (mixed >>> 40) / (float) (1 << 23) - 1;
  }

  /** {@code [1, heads, to - from, HEAD_DIM]}. */
  MlxArray array(Scope s, int which, int heads, int from, int to) {
    float[] numbers = new float[heads * (to - from) * HEAD_DIM];
    int next = 0;
    for (int head = 0; head < heads; head++) {
      for (int at = from; at < to; at++) {
        for (int dim = 0; dim < HEAD_DIM; dim++) {
          numbers[next++] = number(which, head, at, dim);
        }
      }
    }
    return s.floats(numbers, 1, heads, to - from, HEAD_DIM);
  }

  /** Attention of the queries from..to, each to itself and so many before it. */
  float[] attention(int from, int to, int window) {
    return attention(from, to, window, 0);
  }

  /** The same with scores that are bent to stay within a bound; 0 for as they are. */
  float[] attention(int from, int to, int window, float softcap) {
    float[] out = new float[HEADS * (to - from) * HEAD_DIM];
    for (int head = 0; head < HEADS; head++) {
      for (int at = from; at < to; at++) {
        int first = window == 0 ? 0 : Math.max(0, at - window + 1);
        double[] sums = new double[HEAD_DIM];
        double total = 0;
        for (int key = first; key <= at; key++) {
          double weight = Math.exp(bent(SCALE * product(head, at, key), softcap));
          total += weight;
          for (int dim = 0; dim < HEAD_DIM; dim++) {
            sums[dim] += weight * number(2, head / (HEADS / KV_HEADS), key, dim);
          }
        }
        for (int dim = 0; dim < HEAD_DIM; dim++) {
          out[(head * (to - from) + at - from) * HEAD_DIM + dim] = (float) (sums[dim] / total);
        }
      }
    }
    return out;
  }

  private static double bent(double score, float softcap) {
    return softcap == 0 ? score : softcap * Math.tanh(score / softcap);
  }

  private double product(int head, int query, int key) {
    double product = 0;
    for (int dim = 0; dim < HEAD_DIM; dim++) {
      product +=
          number(0, head, query, dim) * (double) number(1, head / (HEADS / KV_HEADS), key, dim);
    }
    return product;
  }
}
