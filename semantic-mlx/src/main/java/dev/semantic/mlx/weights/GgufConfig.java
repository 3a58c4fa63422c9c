package dev.semantic.mlx.weights;

import dev.semantic.model.ModelException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** A model's dimensions from GGUF metadata. */
final class GgufConfig {
  private static final Set<String> KNOWN = new TreeSet<>(List.of("llama", "gemma3"));
  private static final int LARGEST = 1 << 24;

  private final Path file;
  private final Map<String, Object> metadata;
  private final String architecture;

  private GgufConfig(Path file, Map<String, Object> metadata) {
    this.file = file;
    this.metadata = metadata;
    Object name = metadata.get("general.architecture");
    this.architecture = String.valueOf(name);
    if (!KNOWN.contains(architecture)) {
      throw new ModelException(
          "%s holds a model of architecture '%s'; known are %s"
              .formatted(file, architecture, String.join(", ", KNOWN)));
    }
  }

  /**
   * The configuration of a file.
   *
   * @param ropeFactors what stretches the wavelengths; null where the file has none
   */
  static ModelConfig of(Path file, GgufHeader header, float @Nullable [] ropeFactors) {
    return new GgufConfig(file, header.metadata()).read(header, ropeFactors);
  }

  private ModelConfig read(GgufHeader header, float @Nullable [] ropeFactors) {
    boolean gemma = architecture.equals("gemma3");
    int hidden = positive("embedding_length");
    int layers = positive("block_count");
    if (layers > header.tensors().size()) {
      throw wrong("%d layers in %d tensors".formatted(layers, header.tensors().size()));
    }
    int heads = positive("attention.head_count");
    int headDim = has("attention.key_length") ? positive("attention.key_length") : hidden / heads;
    int kvHeads = has("attention.head_count_kv") ? positive("attention.head_count_kv") : heads;
    if (headDim % 2 != 0 || heads % kvHeads != 0) {
      throw wrong("%d heads of %d over %d kv heads".formatted(heads, headDim, kvHeads));
    }
    requireSame("rope.dimension_count", headDim);
    requireSame("attention.value_length", headDim);
    float base = has("rope.freq_base") ? number("rope.freq_base") : gemma ? 1_000_000f : 10_000f;
    return new ModelConfig(
        architecture,
        hidden,
        layers,
        heads,
        kvHeads,
        headDim,
        positive("feed_forward_length"),
        vocabulary(header),
        positive("context_length"),
        number("attention.layer_norm_rms_epsilon"),
        base,
        gemma ? 10_000f : base,
        scaling(headDim, ropeFactors),
        gemma ? positive("attention.sliding_window") : 0,
        gemma ? 6 : 1,
        // Gemma 3 27B alone scales by its width per head; its 62 layers tell it apart.
        gemma && layers == 62 ? (float) hidden / heads : headDim,
        !header.tensors().containsKey("output.weight"));
  }

  private RopeScaling scaling(int headDim, float @Nullable [] factors) {
    if (factors != null) {
      if (factors.length != headDim / 2) {
        throw wrong("%d rope factors for heads of %d".formatted(factors.length, headDim));
      }
      return new RopeScaling.Factors(factors);
    }
    Object type = metadata.getOrDefault(key("rope.scaling.type"), "none");
    return switch (String.valueOf(type)) {
      case "none" -> new RopeScaling.None();
      case "linear" -> new RopeScaling.Linear(number("rope.scaling.factor"));
      default -> throw wrong("rope scaling '" + type + "', which is not known here");
    };
  }

  private int vocabulary(GgufHeader header) {
    TensorInfo embedding = header.tensors().get("token_embd.weight");
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

  private float number(String name) {
    Object value = metadata.get(key(name));
    if (value instanceof Double number && number > 0 && Double.isFinite(number)) {
      return number.floatValue();
    }
    throw wrong(key(name) + " = " + value + ", not a positive number");
  }

  private ModelException wrong(String what) {
    return new ModelException(
        "%s describes a model that cannot be: %s. Is the file damaged?".formatted(file, what));
  }
}
