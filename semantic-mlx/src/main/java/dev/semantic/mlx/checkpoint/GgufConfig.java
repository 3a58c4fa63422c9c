package dev.semantic.mlx.checkpoint;

import dev.semantic.mlx.architecture.ModelConfig;
import dev.semantic.model.ModelException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A model's configuration from GGUF metadata, by the names that {@code config.json} would have. */
final class GgufConfig {
  /** GGUF's names of architectures, and what {@code model_type} they are. */
  private static final Map<String, String> KNOWN =
      new TreeMap<>(
          Map.of(
              "llama", "llama",
              "gemma2", "gemma2",
              "gemma3", "gemma3_text",
              "phi3", "phi3",
              "qwen2", "qwen2",
              "qwen3", "qwen3"));

  private static final int LARGEST = 1 << 24;

  /** What all that turns is multiplied with. */
  private static final String MAGNITUDE = "rope.scaling.attn_factor";

  private final Path file;
  private final Map<String, Object> metadata;
  private final Map<String, TensorInfo> tensors;
  private final String architecture;
  private final Map<String, @Nullable Object> config = new LinkedHashMap<>();

  private GgufConfig(Path file, Map<String, Object> metadata, Map<String, TensorInfo> tensors) {
    this.file = file;
    this.metadata = metadata;
    this.tensors = tensors;
    this.architecture = String.valueOf(metadata.get("general.architecture"));
    if (!KNOWN.containsKey(architecture)) {
      throw new ModelException(
          ModelException.Kind.UNSUPPORTED,
          "%s holds a model of architecture '%s'; known are %s"
              .formatted(file, architecture, String.join(", ", KNOWN.keySet())));
    }
  }

  /** Reads the factors of wavelengths that a file holds as a tensor; empty where it has none. */
  @FunctionalInterface
  interface Factors {
    Optional<List<Float>> read(String tensor);
  }

  static ModelConfig of(
      Path file, Map<String, Object> metadata, Map<String, TensorInfo> tensors, Factors factors) {
    return new GgufConfig(file, metadata, tensors).read(factors);
  }

  private ModelConfig read(Factors factors) {
    int layers = positive("block_count");
    if (layers > tensors.size()) {
      throw wrong("%d layers in %d tensors".formatted(layers, tensors.size()));
    }
    config.put("model_type", KNOWN.get(architecture));
    config.put("num_hidden_layers", layers);
    int hidden = put("hidden_size", positive("embedding_length"));
    put("intermediate_size", positive("feed_forward_length"));
    put("max_position_embeddings", positive("context_length"));
    put("vocab_size", vocabulary());
    config.put("rms_norm_eps", number("attention.layer_norm_rms_epsilon"));
    config.put("tie_word_embeddings", !tensors.containsKey("output.weight"));
    if (architecture.equals("phi3") && has("attention.sliding_window")) {
      put("sliding_window", positive("attention.sliding_window"));
    }
    if (architecture.equals("llama")) { // which alone may or may not have them
      config.put("attention_bias", tensors.containsKey("blk.0.attn_output.bias"));
      config.put("mlp_bias", tensors.containsKey("blk.0.ffn_down.bias"));
    }
    int heads = put("num_attention_heads", positive("attention.head_count"));
    int headDim = has("attention.key_length") ? positive("attention.key_length") : hidden / heads;
    int kvHeads = has("attention.head_count_kv") ? positive("attention.head_count_kv") : heads;
    if (headDim < 1 || headDim % 2 != 0 || heads % kvHeads != 0) {
      throw wrong("%d heads of %d over %d kv heads".formatted(heads, headDim, kvHeads));
    }
    put("head_dim", headDim);
    put("num_key_value_heads", kvHeads);
    requireSame("attention.value_length", headDim);
    positions(headDim, factors);
    if (architecture.startsWith("gemma")) {
      gemma(hidden, layers, heads, headDim);
    }
    return new ModelConfig(file.toString(), config);
  }

  private int put(String key, int value) {
    config.put(key, value);
    return value;
  }

  private void gemma(int hidden, int layers, int heads, int headDim) {
    // The 27B models alone scale by the width per head; the number of layers tells them apart.
    boolean largest = layers == (architecture.equals("gemma3") ? 62 : 46);
    put("query_pre_attn_scalar", largest ? hidden / heads : headDim);
    if (architecture.equals("gemma3")) {
      put("sliding_window", positive("attention.sliding_window"));
      if (metadata.get(key("attention.sliding_window_pattern")) instanceof Long) {
        put("sliding_window_pattern", positive("attention.sliding_window_pattern"));
      }
      if (has("rope.freq_base_swa")) {
        config.put("rope_local_base_freq", number("rope.freq_base_swa"));
      }
    } else {
      config.put("attn_logit_softcapping", numberOr("attn_logit_softcapping", 50));
      config.put("final_logit_softcapping", numberOr("final_logit_softcapping", 30));
    }
  }

  private void positions(int headDim, Factors factors) {
    float usual = architecture.equals("gemma3") ? 1_000_000f : 10_000f;
    config.put("rope_theta", numberOr("rope.freq_base", usual));
    if (architecture.equals("phi3")) {
      int turning = has("rope.dimension_count") ? positive("rope.dimension_count") : headDim;
      config.put("partial_rotary_factor", (double) turning / headDim);
    } else {
      requireSame("rope.dimension_count", headDim);
    }
    config.put("rope_scaling", scaling(factors));
  }

  private @Nullable Map<String, Object> scaling(Factors factors) {
    Optional<List<Float>> far = factors.read(GgufNames.LONG_FACTORS);
    if (far.isPresent()) {
      return longRope(far.get(), factors.read(GgufNames.SHORT_FACTORS).orElse(far.get()));
    }
    Optional<List<Float>> each = factors.read(GgufNames.ROPE_FACTORS);
    String type = String.valueOf(metadata.getOrDefault(key("rope.scaling.type"), "linear"));
    return switch (type) {
      case "none" -> stretched(1, each);
      case "linear" -> stretched(scalingFactor(), each);
      case "yarn" -> {
        if (each.isPresent()) {
          throw wrong("rope scaling 'yarn' together with " + GgufNames.ROPE_FACTORS);
        }
        yield yarn();
      }
      default -> throw wrong("rope scaling '" + type + "', which is not known here");
    };
  }

  /** All positions by one factor, and each pair of dimensions by its own besides. */
  private @Nullable Map<String, Object> stretched(float factor, Optional<List<Float>> each) {
    float magnitude = numberOr(MAGNITUDE, 1);
    if (each.isEmpty() && magnitude == 1) {
      return factor == 1 ? null : Map.of("rope_type", "linear", "factor", factor);
    }
    List<Float> all = each.orElse(List.of(1f)).stream().map(one -> one * factor).toList();
    return Map.of("rope_type", "factors", "factors", all, "attention_factor", magnitude);
  }

  private Map<String, Object> longRope(List<Float> far, List<Float> near) {
    config.put("original_max_position_embeddings", originalContext());
    Map<String, Object> scaling = new LinkedHashMap<>();
    scaling.put("rope_type", "longrope");
    scaling.put("long_factor", far);
    scaling.put("short_factor", near);
    if (has(MAGNITUDE)) { // else as much as a directory that says nothing
      scaling.put("attention_factor", number(MAGNITUDE));
    }
    return scaling;
  }

  private Map<String, Object> yarn() {
    float factor = scalingFactor();
    Map<String, Object> scaling = new LinkedHashMap<>();
    scaling.put("rope_type", "yarn");
    scaling.put("factor", factor);
    scaling.put("original_max_position_embeddings", originalContext());
    scaling.put("beta_fast", numberOr("rope.scaling.yarn_beta_fast", 32));
    scaling.put("beta_slow", numberOr("rope.scaling.yarn_beta_slow", 1));
    if (has(MAGNITUDE)) { // which llama.cpp multiplies YaRN's own with
      double usual = factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1;
      scaling.put("attention_factor", (float) (usual * number(MAGNITUDE)));
    }
    return scaling;
  }

  /** By its name of today, or by that which llama.cpp had before there were kinds of scaling. */
  private float scalingFactor() {
    String name = has("rope.scaling.factor") ? "rope.scaling.factor" : "rope.scale_linear";
    boolean said = has(name) && !Double.valueOf(0).equals(metadata.get(key(name))); // 0: no scaling
    return said ? number(name) : 1;
  }

  private int originalContext() {
    String name = "rope.scaling.original_context_length";
    return positive(has(name) ? name : "context_length");
  }

  private int vocabulary() {
    TensorInfo embedding = tensors.get("token_embd.weight");
    if (embedding == null) {
      throw wrong("no tensor token_embd.weight");
    }
    return embedding.rows();
  }

  private void requireSame(String name, int expected) {
    if (has(name) && positive(name) != expected) {
      throw wrong(
          "%s = %d, where heads are %d wide".formatted(key(name), positive(name), expected));
    }
  }

  private String key(String name) {
    return architecture + "." + name;
  }

  private boolean has(String name) {
    return metadata.containsKey(key(name));
  }

  private int positive(String name) {
    Object value = metadata.get(key(name));
    if (value instanceof Long number && number > 0 && number <= LARGEST) {
      return number.intValue();
    }
    throw wrong(key(name) + " = " + value + ", not a number from 1 to " + LARGEST);
  }

  private float numberOr(String name, float otherwise) {
    return has(name) ? number(name) : otherwise;
  }

  private float number(String name) {
    Object value = metadata.get(key(name));
    if (value instanceof Double number && number > 0 && Double.isFinite(number)) {
      return number.floatValue();
    }
    throw wrong(key(name) + " = " + value + ", not a positive number");
  }

  private ModelException wrong(String what) {
    return new ModelException(
        ModelException.Kind.DAMAGED,
        "%s describes a model that cannot be: %s. Is the file damaged?".formatted(file, what));
  }
}
