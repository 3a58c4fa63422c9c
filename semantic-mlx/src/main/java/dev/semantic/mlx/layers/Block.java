package dev.semantic.mlx.layers;

import dev.semantic.mlx.architecture.ModelDescription;
import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.array.Elementwise;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Scope;
import dev.semantic.mlx.kv.KvCache;
import dev.semantic.mlx.kv.Masks;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A transformer block: attention and feed-forward, each behind a norm, each added to the residual
 * stream.
 *
 * @param afterAttention what attention gives is normed once more; null where it is not
 * @param afterFeedForward the same for feed-forward
 * @param rope which of the model's rotary positions it has
 */
record Block(
    RmsNorm beforeAttention,
    Attention attention,
    @Nullable RmsNorm afterAttention,
    RmsNorm beforeFeedForward,
    FeedForward feed,
    @Nullable RmsNorm afterFeedForward,
    int rope) {
  private static final float LARGEST_FLOAT16 = 65_504;

  static Block of(ModelDescription.Layer layer, Weights weights, String at, float eps, int rope) {
    boolean sandwich = layer.sandwich();
    String second = sandwich ? "pre_feedforward_layernorm" : "post_attention_layernorm";
    return new Block(
        weights.norm(at + "input_layernorm", eps),
        attention(layer.attention(), weights, at + "self_attn.", eps),
        sandwich ? weights.norm(at + "post_attention_layernorm", eps) : null,
        weights.norm(at + second, eps),
        feedForward(layer.feedForward(), weights, at + "mlp."),
        sandwich ? weights.norm(at + "post_feedforward_layernorm", eps) : null,
        rope);
  }

  private static Attention attention(
      dev.semantic.mlx.architecture.AttentionSpec a, Weights weights, String at, float eps) {
    Linear qkv =
        a.fused()
            ? weights.linear(a.inputBias(), at + "qkv_proj")
            : weights.linear(a.inputBias(), at + "q_proj", at + "k_proj", at + "v_proj");
    return new Attention(
        qkv,
        weights.linear(a.outputBias(), at + "o_proj"),
        a.heads(),
        a.kvHeads(),
        a.headDim(),
        a.scale(),
        a.headNorms()
            ? weights.headNorms(at + "q_norm", a.heads(), at + "k_norm", a.kvHeads())
            : null,
        eps,
        weights.kernels());
  }

  private static FeedForward feedForward(
      dev.semantic.mlx.architecture.FeedForwardSpec f, Weights weights, String at) {
    Linear gateUp =
        f.fused()
            ? weights.linear(f.bias(), at + "gate_up_proj")
            : weights.linear(f.bias(), at + "gate_proj", at + "up_proj");
    return new FeedForward(
        gateUp,
        weights.linear(f.bias(), at + "down_proj"),
        f.width(),
        f.activation(),
        weights.kernels());
  }

  MlxArray of(Scope s, MlxArray x, Rope.Rotation rotation, List<KvCache> caches, Masks masks) {
    // h = x + attention(norm(x)); with a sandwich of norms, x + norm(attention(norm(x)))
    MlxArray attended = attention.of(s, beforeAttention.of(s, x), rotation, caches, masks);
    MlxArray h = added(s, x, afterAttention, attended);
    // y = h + feedForward(norm(h)), likewise
    return added(s, h, afterFeedForward, feed.of(s, beforeFeedForward.of(s, h)));
  }

  /**
   * Norms behind each half let the stream grow beyond float16: it stops at the largest number, as
   * in the reference.
   */
  private static MlxArray added(Scope s, MlxArray x, @Nullable RmsNorm norm, MlxArray y) {
    MlxArray sum = Elementwise.add(s, x, normed(s, norm, y));
    if (norm == null || x.dtype() != DType.FLOAT16) {
      return sum;
    }
    MlxArray most = s.scalar(LARGEST_FLOAT16, DType.FLOAT16);
    MlxArray least = s.scalar(-LARGEST_FLOAT16, DType.FLOAT16);
    return Elementwise.maximum(s, Elementwise.minimum(s, sum, most), least);
  }

  private static MlxArray normed(Scope s, @Nullable RmsNorm norm, MlxArray x) {
    return norm == null ? x : norm.of(s, x);
  }
}
