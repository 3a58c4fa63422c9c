package dev.semantic.mlx.model;

import dev.semantic.mlx.array.Elementwise;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Scope;
import dev.semantic.mlx.kv.KvCache;
import dev.semantic.mlx.kv.Masks;
import dev.semantic.mlx.weights.ModelConfig;
import dev.semantic.mlx.weights.RopeScaling;
import dev.semantic.model.KvLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * Gemma 3, its text part (Gemma Team 2025): norms on both sides of every layer, normed queries and
 * keys, and five sliding-window layers for each one that attends to everything.
 */
public final class Gemma3 implements Transformer {
  /** One transformer block; what is added to the residual stream is normed once more. */
  private record Block(
      boolean sliding,
      RmsNorm beforeAttention,
      Attention attention,
      RmsNorm afterAttention,
      RmsNorm beforeFeedForward,
      FeedForward feed,
      RmsNorm afterFeedForward) {
    MlxArray of(Scope s, MlxArray x, Rope.Rotation rotation, List<KvCache> caches, Masks masks) {
      MlxArray attended = attention.of(s, beforeAttention.of(s, x), rotation, caches, masks);
      MlxArray h = Elementwise.add(s, x, afterAttention.of(s, attended));
      return Elementwise.add(s, h, afterFeedForward.of(s, feed.of(s, beforeFeedForward.of(s, h))));
    }
  }

  private final Embedding embedding;
  private final float embeddingScale;
  private final List<Block> blocks;
  private final RmsNorm norm;
  private final Linear head;
  private final Rope nearRope;
  private final Rope farRope;
  private final KvLayout layout;

  /** Asks for every weight by its Hugging Face name; norm weights already hold the "1 +". */
  public Gemma3(ModelConfig config, Weights weights) {
    embedding = weights.embedding("model.embed_tokens.weight");
    embeddingScale = roundedToBfloat16((float) Math.sqrt(config.hiddenSize()));
    blocks = new ArrayList<>();
    for (int i = 0; i < config.layers(); i++) {
      blocks.add(block(config, weights, i));
    }
    norm = weights.norm("model.norm.weight", config.rmsNormEps());
    head = config.tiedEmbeddings() ? embedding.asHead() : weights.linear("lm_head.weight");
    nearRope = weights.rope(config.headDim(), config.ropeLocalBase(), new RopeScaling.None());
    farRope = weights.rope(config.headDim(), config.ropeBase(), config.ropeScaling());
    layout = layout(config);
  }

  /** The geometry of the caches; known before any weight is read. */
  public static KvLayout layout(ModelConfig config) {
    List<KvLayout.Layer> layers = new ArrayList<>();
    for (int i = 0; i < config.layers(); i++) {
      int window = sliding(config, i) ? config.slidingWindow() : 0;
      layers.add(new KvLayout.Layer(config.kvHeads(), config.headDim(), window));
    }
    return new KvLayout(layers);
  }

  private static boolean sliding(ModelConfig config, int layer) {
    return (layer + 1) % config.slidingPattern() != 0;
  }

  /** The scale was a bfloat16 when the model was trained, and the rounding belongs to it. */
  private static float roundedToBfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    int rounding = 0x7fff + ((bits >>> 16) & 1);
    return Float.intBitsToFloat((bits + rounding) & 0xffff0000);
  }

  private static Block block(ModelConfig config, Weights weights, int index) {
    float eps = config.rmsNormEps();
    String at = "model.layers." + index + ".";
    String attend = at + "self_attn.";
    Attention attention =
        new Attention(
            weights.linear(
                attend + "q_proj.weight", attend + "k_proj.weight", attend + "v_proj.weight"),
            weights.linear(attend + "o_proj.weight"),
            config.heads(),
            config.kvHeads(),
            config.headDim(),
            (float) (1 / Math.sqrt(config.queryPreAttentionScalar())),
            weights.headNorms(
                attend + "q_norm.weight",
                config.heads(),
                attend + "k_norm.weight",
                config.kvHeads()),
            eps);
    FeedForward feed =
        new FeedForward(
            weights.linear(at + "mlp.gate_proj.weight", at + "mlp.up_proj.weight"),
            weights.linear(at + "mlp.down_proj.weight"),
            config.intermediateSize(),
            FeedForward.Activation.GELU_TANH);
    return new Block(
        sliding(config, index),
        weights.norm(at + "input_layernorm.weight", eps),
        attention,
        weights.norm(at + "post_attention_layernorm.weight", eps),
        weights.norm(at + "pre_feedforward_layernorm.weight", eps),
        feed,
        weights.norm(at + "post_feedforward_layernorm.weight", eps));
  }

  @Override
  public MlxArray hidden(Scope s, MlxArray tokens, List<List<KvCache>> caches) {
    MlxArray h = embedding.of(s, tokens);
    h = Elementwise.multiply(s, h, s.scalar(embeddingScale, h.dtype()));
    int[] offsets = Caches.offsets(caches);
    Rope.Rotation near = nearRope.at(s, offsets, tokens.dim(1), h.dtype());
    Rope.Rotation far = farRope.at(s, offsets, tokens.dim(1), h.dtype());
    Masks masks = new Masks(s);
    for (int i = 0; i < blocks.size(); i++) {
      Block block = blocks.get(i);
      h = block.of(s, h, block.sliding() ? near : far, Caches.ofLayer(caches, i), masks);
    }
    return h;
  }

  @Override
  public MlxArray logits(Scope s, MlxArray hidden) {
    return head.of(s, norm.of(s, hidden));
  }

  @Override
  public KvLayout kvLayout() {
    return layout;
  }
}
