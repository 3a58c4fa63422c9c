package dev.semantic.mlx.checkpoint;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** GGUF's names for the tensors that have Hugging Face names here. */
final class GgufNames {
  static final String ROPE_FACTORS = "rope_freqs.weight";
  static final String LONG_FACTORS = "rope_factors_long.weight";
  static final String SHORT_FACTORS = "rope_factors_short.weight";

  /** Tensors that say how positions turn; read with the configuration. */
  static final Set<String> OF_POSITIONS = Set.of(ROPE_FACTORS, LONG_FACTORS, SHORT_FACTORS);

  private static final Pattern LAYER = Pattern.compile("model\\.layers\\.(\\d+)\\.(.+)\\.(\\w+)");

  private static final Map<String, String> OUTSIDE =
      Map.of(
          "model.embed_tokens.weight", "token_embd.weight",
          "model.norm.weight", "output_norm.weight",
          "lm_head.weight", "output.weight");

  private static final Map<String, String> WITHIN =
      Map.ofEntries(
          Map.entry("input_layernorm", "attn_norm"),
          Map.entry("self_attn.q_proj", "attn_q"),
          Map.entry("self_attn.k_proj", "attn_k"),
          Map.entry("self_attn.v_proj", "attn_v"),
          Map.entry("self_attn.qkv_proj", "attn_qkv"),
          Map.entry("self_attn.o_proj", "attn_output"),
          Map.entry("self_attn.q_norm", "attn_q_norm"),
          Map.entry("self_attn.k_norm", "attn_k_norm"),
          Map.entry("post_attention_layernorm", "ffn_norm"),
          Map.entry("mlp.gate_proj", "ffn_gate"),
          Map.entry("mlp.up_proj", "ffn_up"),
          Map.entry("mlp.gate_up_proj", "ffn_up"),
          Map.entry("mlp.down_proj", "ffn_down"));

  /** The norms of layers that have one on either side. */
  private static final Map<String, String> SANDWICH =
      Map.of(
          "post_attention_layernorm", "post_attention_norm",
          "pre_feedforward_layernorm", "ffn_norm",
          "post_feedforward_layernorm", "post_ffw_norm");

  private GgufNames() {}

  /**
   * GGUF's name.
   *
   * @param sandwich whether what layers give is normed, too
   */
  static String of(String name, boolean sandwich) {
    Matcher layer = LAYER.matcher(name);
    if (!layer.matches()) {
      return OUTSIDE.getOrDefault(name, name);
    }
    String part = layer.group(2);
    String within = WITHIN.getOrDefault(part, part);
    String there = sandwich ? SANDWICH.getOrDefault(part, within) : within;
    return "blk.%s.%s.%s".formatted(layer.group(1), there, layer.group(3));
  }

  /**
   * Number of heads whose rows are interleaved: llama GGUFs store the two halves of each query and
   * key head row by row in turn, for RoPE over neighbours.
   */
  static Optional<Integer> interleavedHeads(String modelType, int heads, int kvHeads, String name) {
    if (!modelType.equals("llama")) {
      return Optional.empty();
    }
    if (name.contains(".q_proj.")) {
      return Optional.of(heads);
    }
    return name.contains(".k_proj.") ? Optional.of(kvHeads) : Optional.empty();
  }
}
