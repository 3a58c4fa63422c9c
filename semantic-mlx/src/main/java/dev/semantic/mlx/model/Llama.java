package dev.semantic.mlx.model;

import dev.semantic.mlx.array.Elementwise;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Scope;
import dev.semantic.mlx.kv.KvCache;
import dev.semantic.mlx.kv.Masks;
import dev.semantic.mlx.weights.ModelConfig;
import dev.semantic.model.KvLayout;
import java.util.ArrayList;
import java.util.List;

/** Llama (Touvron et al. 2023; Llama 3 in Grattafiori et al. 2024), and SmolLM2 with it. */
public final class Llama implements Transformer {
  /** One transformer block: attention and feed-forward, each behind a norm, each added. */
  private record Block(
      RmsNorm beforeAttention, Attention attention, RmsNorm beforeFeedForward, FeedForward feed) {
    MlxArray of(Scope s, MlxArray x, Rope.Rotation rotation, List<KvCache> caches, Masks masks) {
      MlxArray h =
          Elementwise.add(s, x, attention.of(s, beforeAttention.of(s, x), rotation, caches, masks));
      return Elementwise.add(s, h, feed.of(s, beforeFeedForward.of(s, h)));
    }
  }

  private final Embedding embedding;
  private final List<Block> blocks;
  private final RmsNorm norm;
  private final Linear head;
  private final Rope rope;
  private final KvLayout layout;

  /** Asks for every weight by its Hugging Face name. */
  public Llama(ModelConfig config, Weights weights) {
    embedding = weights.embedding("model.embed_tokens.weight");
    blocks = new ArrayList<>();
    for (int i = 0; i < config.layers(); i++) {
      blocks.add(block(config, weights, "model.layers." + i + "."));
    }
    norm = weights.norm("model.norm.weight", config.rmsNormEps());
    head = config.tiedEmbeddings() ? embedding.asHead() : weights.linear("lm_head.weight");
    rope = weights.rope(config.headDim(), config.ropeBase(), config.ropeScaling());
    layout = layout(config);
  }

  /** The geometry of the caches; known before any weight is read. */
  public static KvLayout layout(ModelConfig config) {
    return KvLayout.uniform(config.layers(), config.kvHeads(), config.headDim());
  }

  private static Block block(ModelConfig config, Weights weights, String at) {
    float eps = config.rmsNormEps();
    String attend = at + "self_attn.";
    Attention attention =
        new Attention(
            weights.linear(
                attend + "q_proj.weight", attend + "k_proj.weight", attend + "v_proj.weight"),
            weights.linear(attend + "o_proj.weight"),
            config.heads(),
            config.kvHeads(),
            config.headDim(),
            (float) (1 / Math.sqrt(config.headDim())),
            null,
            eps);
    FeedForward feed =
        new FeedForward(
            weights.linear(at + "mlp.gate_proj.weight", at + "mlp.up_proj.weight"),
            weights.linear(at + "mlp.down_proj.weight"),
            config.intermediateSize(),
            FeedForward.Activation.SILU);
    return new Block(
        weights.norm(at + "input_layernorm.weight", eps),
        attention,
        weights.norm(at + "post_attention_layernorm.weight", eps),
        feed);
  }

  @Override
  public MlxArray hidden(Scope s, MlxArray tokens, List<List<KvCache>> caches) {
    MlxArray h = embedding.of(s, tokens);
    Rope.Rotation rotation = rope.at(s, Caches.offsets(caches), tokens.dim(1), h.dtype());
    Masks masks = new Masks(s);
    for (int i = 0; i < blocks.size(); i++) {
      h = blocks.get(i).of(s, h, rotation, Caches.ofLayer(caches, i), masks);
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
