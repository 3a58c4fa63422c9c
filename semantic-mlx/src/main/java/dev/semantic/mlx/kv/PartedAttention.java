package dev.semantic.mlx.kv;

import dev.semantic.mlx.array.Elementwise;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Ops;
import dev.semantic.mlx.array.Scope;
import java.util.List;

/**
 * Scaled dot-product attention (Vaswani et al. 2017) over keys and values that lie in several
 * arrays: scores part by part, one softmax over all of them, weighted sums part by part. No part is
 * copied.
 */
final class PartedAttention {
  private PartedAttention() {}

  /**
   * Attends to all parts; causal, with the queries at the end of the keys.
   *
   * @param q {@code [1, heads, queries, headDim]}
   * @param keys each {@code [1, kvHeads, tokens, headDim]}
   * @param values like {@code keys}
   * @return {@code [1, heads, queries, headDim]}
   */
  static MlxArray of(
      Scope s, MlxArray q, List<MlxArray> keys, List<MlxArray> values, float scale, Masks masks) {
    int heads = q.dim(1);
    int queries = q.dim(2);
    int headDim = q.dim(3);
    int kvHeads = keys.getFirst().dim(1);
    int group = heads / kvHeads; // query heads that share a head of keys
    MlxArray scaled = Elementwise.multiply(s, q, s.scalar(scale, q.dtype()));
    MlxArray grouped = Ops.reshape(s, scaled, 1, kvHeads, group * queries, headDim);
    MlxArray[] scores = new MlxArray[keys.size()];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = Ops.matmul(s, grouped, Ops.transpose(s, keys.get(i), 0, 1, 3, 2));
    }
    MlxArray all = scores.length == 1 ? scores[0] : Ops.concatenate(s, 3, scores);
    if (masks.softcap() != 0) {
      all = Elementwise.softcap(s, all, masks.softcap());
    }
    int total = all.dim(3);
    if (queries > 1) {
      MlxArray perQuery = Ops.reshape(s, all, 1, kvHeads, group, queries, total);
      MlxArray masked =
          Elementwise.where(
              s,
              masks.triangle(queries, total),
              perQuery,
              s.scalar(Float.NEGATIVE_INFINITY, q.dtype()));
      all = Ops.reshape(s, masked, 1, kvHeads, group * queries, total);
    }
    MlxArray weights = Ops.softmax(s, all, 3);
    MlxArray sum = null;
    int from = 0;
    for (MlxArray each : values) {
      int to = from + each.dim(2);
      MlxArray part =
          Ops.slice(
              s, weights, new int[] {0, 0, 0, from}, new int[] {1, kvHeads, group * queries, to});
      MlxArray seen = Ops.matmul(s, part, each);
      sum = sum == null ? seen : Elementwise.add(s, sum, seen);
      from = to;
    }
    if (sum == null) {
      throw new IllegalArgumentException("Attention to nothing");
    }
    return Ops.reshape(s, sum, 1, heads, queries, headDim);
  }
}
