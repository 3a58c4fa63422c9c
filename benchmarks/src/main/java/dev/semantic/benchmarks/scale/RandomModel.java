package dev.semantic.benchmarks.scale;

import dev.semantic.benchmarks.scale.RandomTensor.Content;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A model of a real one's shape, without its weights.
 *
 * @param name of its directory
 * @param config its {@code config.json}, the real one's in all that decides a shape
 * @param tokens how many its tokenizer has besides the special ones
 * @param special the texts of its special tokens, the first of which ends an answer
 * @param tensors in the order of the layers
 */
record RandomModel(
    String name, String config, int tokens, List<String> special, List<RandomTensor> tensors) {
  private static final int GROUP = 64;

  private static final String QUANTIZATION =
      """
      "quantization": {"group_size": 64, "bits": 4},
        "quantization_config": {"group_size": 64, "bits": 4}\
      """;

  /**
   * The shape of {@code mlx-community/gemma-3-12b-it-4bit}: the multimodal layout, whose vision
   * part is neither quantised nor ours to compute with.
   */
  static RandomModel gemma3() {
    Shape shape = new Shape("language_model.", 48, 3840, 15_360, 16 * 256, 8 * 256, 262_208);
    List<RandomTensor> tensors = new ArrayList<>();
    shape.matrix("model.embed_tokens", shape.vocabulary(), shape.hidden(), tensors);
    for (int layer = 0; layer < shape.layers(); layer++) {
      String at = "model.layers.%d.".formatted(layer);
      shape.layer(at, tensors);
      shape.norm(at + "pre_feedforward_layernorm", shape.hidden(), tensors);
      shape.norm(at + "post_feedforward_layernorm", shape.hidden(), tensors);
      shape.norm(at + "self_attn.q_norm", 256, tensors);
      shape.norm(at + "self_attn.k_norm", 256, tensors);
    }
    shape.norm("model.norm", shape.hidden(), tensors);
    Siglip.addTo(tensors, shape.hidden());
    String config =
        """
        {
          "architectures": ["Gemma3ForConditionalGeneration"],
          "model_type": "gemma3",
          "boi_token_index": 255999,
          "eoi_token_index": 256000,
          "eos_token_id": [1, 106],
          "image_token_index": 262144,
          "initializer_range": 0.02,
          "mm_tokens_per_image": 256,
          %s,
          "text_config": {
            "hidden_size": 3840,
            "intermediate_size": 15360,
            "model_type": "gemma3_text",
            "num_attention_heads": 16,
            "num_hidden_layers": 48,
            "num_key_value_heads": 8,
            "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
            "sliding_window": 1024
          },
          "torch_dtype": "bfloat16",
          "vision_config": {
            "hidden_size": 1152,
            "image_size": 896,
            "intermediate_size": 4304,
            "model_type": "siglip_vision_model",
            "num_attention_heads": 16,
            "num_hidden_layers": 27,
            "patch_size": 14,
            "vision_use_head": false
          }
        }
        """
            .formatted(QUANTIZATION);
    return new RandomModel(
        "gemma-3-12b-it-4bit", config, 262_140, List.of("<eos>", "<bos>", "<pad>"), tensors);
  }

  /** The shape of {@code mlx-community/Qwen2.5-14B-Instruct-4bit}. */
  static RandomModel qwen25() {
    Shape shape = new Shape("", 48, 5120, 13_824, 5120, 1024, 152_064);
    List<RandomTensor> tensors = new ArrayList<>();
    shape.matrix("model.embed_tokens", shape.vocabulary(), shape.hidden(), tensors);
    for (int layer = 0; layer < shape.layers(); layer++) {
      String at = "model.layers.%d.".formatted(layer);
      shape.layer(at, tensors);
      shape.numbers(at + "self_attn.q_proj.bias", tensors, shape.queries());
      shape.numbers(at + "self_attn.k_proj.bias", tensors, shape.keys());
      shape.numbers(at + "self_attn.v_proj.bias", tensors, shape.keys());
    }
    shape.norm("model.norm", shape.hidden(), tensors);
    shape.matrix("lm_head", shape.vocabulary(), shape.hidden(), tensors);
    String config =
        """
        {
          "architectures": ["Qwen2ForCausalLM"],
          "model_type": "qwen2",
          "attention_dropout": 0.0,
          "bos_token_id": 151643,
          "eos_token_id": 151645,
          "hidden_act": "silu",
          "hidden_size": 5120,
          "initializer_range": 0.02,
          "intermediate_size": 13824,
          "max_position_embeddings": 32768,
          "max_window_layers": 70,
          "num_attention_heads": 40,
          "num_hidden_layers": 48,
          "num_key_value_heads": 8,
          %s,
          "rms_norm_eps": 1e-06,
          "rope_theta": 1000000.0,
          "sliding_window": 131072,
          "tie_word_embeddings": false,
          "torch_dtype": "bfloat16",
          "use_sliding_window": false,
          "vocab_size": 152064
        }
        """
            .formatted(QUANTIZATION);
    return new RandomModel(
        "Qwen2.5-14B-Instruct-4bit",
        config,
        151_643,
        List.of("<|im_end|>", "<|im_start|>", "<|endoftext|>"),
        tensors);
  }

  long bytes() {
    return tensors.stream().mapToLong(RandomTensor::bytes).sum();
  }

  /** What a decoder's matrices are as large as. */
  private record Shape(
      String prefix,
      int layers,
      int hidden,
      int feedForward,
      int queries,
      int keys,
      int vocabulary) {
    /** What both have. */
    void layer(String at, List<RandomTensor> to) {
      norm(at + "input_layernorm", hidden, to);
      matrix(at + "self_attn.q_proj", queries, hidden, to);
      matrix(at + "self_attn.k_proj", keys, hidden, to);
      matrix(at + "self_attn.v_proj", keys, hidden, to);
      matrix(at + "self_attn.o_proj", hidden, queries, to);
      norm(at + "post_attention_layernorm", hidden, to);
      matrix(at + "mlp.gate_proj", feedForward, hidden, to);
      matrix(at + "mlp.up_proj", feedForward, hidden, to);
      matrix(at + "mlp.down_proj", hidden, feedForward, to);
    }

    /** Four bits in MLX's affine form. */
    void matrix(String module, int out, int in, List<RandomTensor> to) {
      String name = prefix + module;
      to.add(new RandomTensor(name + ".weight", name, Content.INTEGERS, out, in / 8));
      to.add(new RandomTensor(name + ".scales", name, Content.SCALES, out, in / GROUP));
      to.add(new RandomTensor(name + ".biases", name, Content.BIASES, out, in / GROUP));
    }

    /** Gemma's are stored as their difference from one, which is small. */
    void norm(String module, int width, List<RandomTensor> to) {
      String name = prefix + module + ".weight";
      Content content = prefix.isEmpty() ? Content.NORM : Content.NUMBERS;
      to.add(new RandomTensor(name, name, content, width));
    }

    void numbers(String name, List<RandomTensor> to, int... shape) {
      to.add(new RandomTensor(prefix + name, name, Content.NUMBERS, shape));
    }
  }

  /** The vision part of Gemma 3: 0.8 GB that a swap of text models has no use for. */
  private static final class Siglip {
    private static final int HIDDEN = 1152;
    private static final int WIDE = 4304;
    private static final int LAYERS = 27;
    private static final int PATCHES = 64 * 64;
    private static final String TOWER = "vision_tower.vision_model.";

    private Siglip() {}

    static void addTo(List<RandomTensor> to, int textHidden) {
      add(to, TOWER + "embeddings.patch_embedding", HIDDEN, 14, 14, 3);
      plain(to, TOWER + "embeddings.position_embedding.weight", PATCHES, HIDDEN);
      for (int layer = 0; layer < LAYERS; layer++) {
        String at = String.format(Locale.ROOT, "%sencoder.layers.%d.", TOWER, layer);
        add(to, at + "layer_norm1", HIDDEN);
        for (String projection : List.of("q_proj", "k_proj", "v_proj", "out_proj")) {
          add(to, at + "self_attn." + projection, HIDDEN, HIDDEN);
        }
        add(to, at + "layer_norm2", HIDDEN);
        add(to, at + "mlp.fc1", WIDE, HIDDEN);
        add(to, at + "mlp.fc2", HIDDEN, WIDE);
      }
      add(to, TOWER + "post_layernorm", HIDDEN);
      plain(to, "multi_modal_projector.mm_input_projection_weight", HIDDEN, textHidden);
      plain(to, "multi_modal_projector.mm_soft_emb_norm.weight", HIDDEN);
    }

    /** With a bias for each row. */
    private static void add(List<RandomTensor> to, String module, int... shape) {
      plain(to, module + ".weight", shape);
      plain(to, module + ".bias", shape[0]);
    }

    private static void plain(List<RandomTensor> to, String name, int... shape) {
      to.add(new RandomTensor(name, name, Content.NUMBERS, shape));
    }
  }
}
