package dev.semantic.mlx.kv;

import dev.semantic.mlx.array.CpuKernels;
import dev.semantic.mlx.array.Elementwise;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Ops;
import dev.semantic.mlx.array.Scope;
import java.util.ArrayList;
import java.util.List;

/**
 * Scaled dot-product attention (Vaswani et al. 2017) of one new token of each of several sequences,
 * whose pasts are of different lengths and lie in different buffers, in several pieces each
 * perhaps. No past is copied, padded or masked. What a sequence gets does not depend on who is
 * beside it.
 *
 * <p>The heads of queries that share a head of keys are the columns of one product {@code K qᵀ}, so
 * that the keys are read once; OpenBLAS has a kernel for products as narrow as that, in this order
 * of the factors only.
 */
public final class RaggedAttention {
  private RaggedAttention() {}

  /** The same with scores as they are. */
  static MlxArray of(
      Scope s, MlxArray q, MlxArray k, MlxArray v, List<KvCache> caches, float scale) {
    return of(s, q, k, v, caches, scale, 0, false);
  }

  /**
   * Appends a token to every cache, our own kernels also several, and attends to what it holds.
   *
   * @param q {@code [batch, heads, tokens, headDim]}, rotated
   * @param k {@code [batch, kvHeads, tokens, headDim]}, rotated
   * @param v {@code [batch, kvHeads, tokens, headDim]}
   * @param caches one for every sequence of the batch
   * @param softcap scores are bent to stay within it; 0 for not at all
   * @param kernels whether our own CPU kernels attend, or MLX
   * @return {@code [batch, heads, tokens, headDim]}
   */
  public static MlxArray of(
      Scope s,
      MlxArray q,
      MlxArray k,
      MlxArray v,
      List<KvCache> caches,
      float scale,
      float softcap,
      boolean kernels) {
    if (kernels) {
      return byKernels(s, q, k, v, caches, scale, softcap);
    }
    int batch = q.dim(0);
    int heads = q.dim(1);
    int kvHeads = k.dim(1);
    int headDim = q.dim(3);
    MlxArray scaled = Elementwise.multiply(s, q, s.scalar(scale, q.dtype()));
    MlxArray grouped = Ops.reshape(s, scaled, batch, kvHeads, heads / kvHeads, headDim);
    MlxArray columns = Ops.contiguous(s, Ops.transpose(s, grouped, 0, 1, 3, 2));
    MlxArray[] seen = new MlxArray[batch];
    for (int i = 0; i < batch; i++) {
      List<KvView> pieces = caches.get(i).append(s, member(s, k, i), member(s, v, i));
      seen[i] =
          pieces.size() == 1 && softcap == 0 && s.hasFusedKernels()
              ? fused(s, member(s, q, i), pieces.getFirst(), scale)
              : attend(s, member(s, columns, i), pieces, softcap);
    }
    MlxArray all = batch == 1 ? seen[0] : Ops.concatenate(s, 0, seen);
    return Ops.reshape(s, all, batch, heads, 1, headDim);
  }

  private static MlxArray byKernels(
      Scope s,
      MlxArray q,
      MlxArray k,
      MlxArray v,
      List<KvCache> caches,
      float scale,
      float softcap) {
    List<CpuKernels.Held> held = new ArrayList<>();
    for (int i = 0; i < caches.size(); i++) {
      List<MlxArray> pieces = new ArrayList<>();
      int start = caches.get(i).offset() + k.dim(2);
      for (KvView piece : caches.get(i).append(s, member(s, k, i), member(s, v, i))) {
        pieces.add(piece.keys());
        pieces.add(piece.values());
        start -= piece.tokens();
      }
      held.add(new CpuKernels.Held(start, pieces));
    }
    int window = caches.getFirst().window();
    return CpuKernels.attention(s, q, held, window, scale, softcap);
  }

  private static MlxArray member(Scope s, MlxArray x, int index) {
    if (x.dim(0) == 1) {
      return x;
    }
    int[] stop = x.shape();
    stop[0] = index + 1;
    return Ops.slice(s, x, new int[] {index, 0, 0, 0}, stop);
  }

  private static MlxArray fused(Scope s, MlxArray q, KvView all, float scale) {
    MlxArray seen = Ops.attention(s, q, all.keys(), all.values(), scale, Ops.Mask.NONE);
    int kvHeads = all.keys().dim(1);
    return Ops.reshape(s, seen, 1, kvHeads, q.dim(1) / kvHeads, q.dim(3));
  }

  /**
   * Scores piece by piece, one softmax over all of them, weighted sums piece by piece.
   *
   * @param columns {@code [1, kvHeads, headDim, group]}
   * @return {@code [1, kvHeads, group, headDim]}
   */
  private static MlxArray attend(Scope s, MlxArray columns, List<KvView> pieces, float softcap) {
    MlxArray[] scores =
        pieces.stream().map(piece -> Ops.matmul(s, piece.keys(), columns)).toArray(MlxArray[]::new);
    MlxArray all = scores.length == 1 ? scores[0] : Ops.concatenate(s, 2, scores);
    MlxArray bent = softcap == 0 ? all : Elementwise.softcap(s, all, softcap);
    MlxArray weights = Ops.softmax(s, Ops.transpose(s, bent, 0, 1, 3, 2), 3);
    if (scores.length == 1) {
      return Ops.matmul(s, weights, pieces.getFirst().values());
    }
    MlxArray sum = null;
    int from = 0;
    for (KvView piece : pieces) {
      MlxArray part = span(s, weights, from, from + piece.tokens());
      MlxArray weighted = Ops.matmul(s, part, piece.values());
      sum = sum == null ? weighted : Elementwise.add(s, sum, weighted);
      from += piece.tokens();
    }
    if (sum == null) {
      throw new IllegalArgumentException("Attention to nothing");
    }
    return sum;
  }

  private static MlxArray span(Scope s, MlxArray weights, int from, int to) {
    int[] stop = weights.shape();
    stop[3] = to;
    return Ops.slice(s, weights, new int[] {0, 0, 0, from}, stop);
  }
}
