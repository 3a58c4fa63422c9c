package dev.semantic.mlx.weights;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * GGUF's names for the tensors that have Hugging Face names here, and the shapes they must have.
 */
final class GgufNames {
  /** A tensor as the architecture needs it. */
  record Expected(String ggufName, int... shape) {}

  static final String ROPE_FACTORS = "rope_freqs.weight";

  private GgufNames() {}

  /** Every tensor a model must have, by its Hugging Face name. */
  static Map<String, Expected> expected(ModelConfig c) {
    Map<String, Expected> all = new LinkedHashMap<>();
    all.put(
        "model.embed_tokens.weight",
        new Expected("token_embd.weight", c.vocabularySize(), c.hiddenSize()));
    for (int i = 0; i < c.layers(); i++) {
      layer(all, c, "model.layers." + i + ".", "blk." + i + ".");
    }
    all.put("model.norm.weight", new Expected("output_norm.weight", c.hiddenSize()));
    if (!c.tiedEmbeddings()) {
      all.put("lm_head.weight", new Expected("output.weight", c.vocabularySize(), c.hiddenSize()));
    }
    return all;
  }

  private static void layer(Map<String, Expected> all, ModelConfig c, String at, String gguf) {
    int hidden = c.hiddenSize();
    int queries = c.heads() * c.headDim();
    int keys = c.kvHeads() * c.headDim();
    boolean gemma = c.architecture().equals("gemma3");
    all.put(at + "input_layernorm.weight", new Expected(gguf + "attn_norm.weight", hidden));
    all.put(at + "self_attn.q_proj.weight", new Expected(gguf + "attn_q.weight", queries, hidden));
    all.put(at + "self_attn.k_proj.weight", new Expected(gguf + "attn_k.weight", keys, hidden));
    all.put(at + "self_attn.v_proj.weight", new Expected(gguf + "attn_v.weight", keys, hidden));
    all.put(
        at + "self_attn.o_proj.weight", new Expected(gguf + "attn_output.weight", hidden, queries));
    if (gemma) {
      all.put(
          at + "self_attn.q_norm.weight", new Expected(gguf + "attn_q_norm.weight", c.headDim()));
      all.put(
          at + "self_attn.k_norm.weight", new Expected(gguf + "attn_k_norm.weight", c.headDim()));
      all.put(
          at + "post_attention_layernorm.weight",
          new Expected(gguf + "post_attention_norm.weight", hidden));
      all.put(
          at + "post_feedforward_layernorm.weight",
          new Expected(gguf + "post_ffw_norm.weight", hidden));
    }
    String beforeFeedForward =
        gemma ? "pre_feedforward_layernorm.weight" : "post_attention_layernorm.weight";
    all.put(at + beforeFeedForward, new Expected(gguf + "ffn_norm.weight", hidden));
    int wide = c.intermediateSize();
    all.put(at + "mlp.gate_proj.weight", new Expected(gguf + "ffn_gate.weight", wide, hidden));
    all.put(at + "mlp.up_proj.weight", new Expected(gguf + "ffn_up.weight", wide, hidden));
    all.put(at + "mlp.down_proj.weight", new Expected(gguf + "ffn_down.weight", hidden, wide));
  }

  /**
   * Number of heads whose rows are interleaved: llama GGUFs store the two halves of each query and
   * key head row by row in turn, for RoPE over neighbours.
   */
  static Optional<Integer> interleavedHeads(ModelConfig c, String name) {
    if (!c.architecture().equals("llama")) {
      return Optional.empty();
    }
    if (name.endsWith("q_proj.weight")) {
      return Optional.of(c.heads());
    }
    return name.endsWith("k_proj.weight") ? Optional.of(c.kvHeads()) : Optional.empty();
  }
}
