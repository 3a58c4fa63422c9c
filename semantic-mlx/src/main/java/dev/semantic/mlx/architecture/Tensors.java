package dev.semantic.mlx.architecture;

import java.util.Map;

/** The tensors of a layer, by Hugging Face's names. */
final class Tensors {
  private final int hidden;
  private final String at;
  private final Map<String, int[]> all;

  private Tensors(int hidden, String at, Map<String, int[]> all) {
    this.hidden = hidden;
    this.at = at;
    this.all = all;
  }

  static void of(ModelDescription.Layer layer, int hidden, String at, Map<String, int[]> all) {
    Tensors tensors = new Tensors(hidden, at, all);
    tensors.norm("input_layernorm", hidden);
    tensors.attention(layer.attention());
    tensors.norm("post_attention_layernorm", hidden);
    if (layer.sandwich()) {
      tensors.norm("pre_feedforward_layernorm", hidden);
      tensors.norm("post_feedforward_layernorm", hidden);
    }
    tensors.feedForward(layer.feedForward());
  }

  private void attention(AttentionSpec attention) {
    int queries = Math.multiplyExact(attention.heads(), attention.headDim());
    int keys = Math.multiplyExact(attention.kvHeads(), attention.headDim());
    if (attention.fused()) {
      matrix(
          "self_attn.qkv_proj",
          Math.addExact(queries, Math.multiplyExact(2, keys)),
          hidden,
          attention.inputBias());
    } else {
      matrix("self_attn.q_proj", queries, hidden, attention.inputBias());
      matrix("self_attn.k_proj", keys, hidden, attention.inputBias());
      matrix("self_attn.v_proj", keys, hidden, attention.inputBias());
    }
    matrix("self_attn.o_proj", hidden, queries, attention.outputBias());
    if (attention.headNorms()) {
      norm("self_attn.q_norm", attention.headDim());
      norm("self_attn.k_norm", attention.headDim());
    }
  }

  private void feedForward(FeedForwardSpec feed) {
    if (feed.fused()) {
      matrix("mlp.gate_up_proj", Math.multiplyExact(2, feed.width()), hidden, feed.bias());
    } else {
      matrix("mlp.gate_proj", feed.width(), hidden, feed.bias());
      matrix("mlp.up_proj", feed.width(), hidden, feed.bias());
    }
    matrix("mlp.down_proj", hidden, feed.width(), feed.bias());
  }

  private void matrix(String name, int out, int in, boolean bias) {
    all.put(at + name + ".weight", new int[] {out, in});
    if (bias) {
      all.put(at + name + ".bias", new int[] {out});
    }
  }

  private void norm(String name, int width) {
    all.put(at + name + ".weight", new int[] {width});
  }
}
