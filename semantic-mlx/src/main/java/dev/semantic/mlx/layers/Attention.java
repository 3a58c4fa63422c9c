package dev.semantic.mlx.layers;

import dev.semantic.mlx.array.CpuKernels;
import dev.semantic.mlx.array.Elementwise;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Ops;
import dev.semantic.mlx.array.Scope;
import dev.semantic.mlx.kv.KvCache;
import dev.semantic.mlx.kv.Masks;
import dev.semantic.mlx.kv.RaggedAttention;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Grouped-query attention (Ainslie et al. 2023) with rotary positions.
 *
 * @param qkv queries, keys and values at once: {@code [hidden, (heads + 2 kvHeads) headDim]}
 * @param norms norms of queries and keys, {@code [heads + kvHeads, 1, headDim]}; null without
 * @param kernels whether our own CPU kernels compute what lies between the matrices, or MLX
 */
public record Attention(
    Linear qkv,
    Linear out,
    int heads,
    int kvHeads,
    int headDim,
    float scale,
    @Nullable MlxArray norms,
    float eps,
    boolean kernels) {

  /**
   * Attends over what the caches hold and the new tokens.
   *
   * @param x {@code [batch, tokens, hidden]}
   * @param caches this layer's, one for every sequence of the batch
   * @return {@code [batch, tokens, hidden]}
   */
  public MlxArray of(
      Scope s, MlxArray x, Rope.Rotation rotation, List<KvCache> caches, Masks masks) {
    int batch = x.dim(0);
    int tokens = x.dim(1);
    // q, k, v = x W, in one product; then [batch, heads, tokens, headDim]
    MlxArray all = Ops.reshape(s, qkv.of(s, x), batch, tokens, heads + 2 * kvHeads, headDim);
    all = Ops.transpose(s, all, 0, 2, 1, 3);
    // q and k: normed by head where the model has that (Qwen 3, Gemma 3), then turned by position
    MlxArray turning = Layers.slice(s, all, 1, 0, heads + kvHeads);
    if (norms != null) {
      turning =
          kernels
              ? CpuKernels.rmsNorm(s, turning, norms, eps)
              : Elementwise.multiply(s, Ops.rmsNorm(s, turning, null, eps), norms);
    }
    turning = rotation.of(s, turning);
    MlxArray q = Layers.slice(s, turning, 1, 0, heads);
    MlxArray k = Layers.slice(s, turning, 1, heads, heads + kvHeads);
    MlxArray v = Layers.slice(s, all, 1, heads + kvHeads, heads + 2 * kvHeads);
    // softmax(q k^T scale) v over the cached and the new tokens; kvHeads serve heads / kvHeads each
    MlxArray seen =
        tokens == 1 || kernels
            ? RaggedAttention.of(s, q, k, v, caches, scale, masks.softcap(), kernels)
            : caches.getFirst().attend(s, q, k, v, scale, masks);
    // the heads side by side, and the output projection
    return out.of(
        s, Ops.reshape(s, Ops.transpose(s, seen, 0, 2, 1, 3), batch, tokens, heads * headDim));
  }
}
