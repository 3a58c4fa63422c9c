package dev.semantic.mlx.convert;

import dev.semantic.mlx.architecture.ModelConfig;
import dev.semantic.mlx.checkpoint.Checkpoint;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The {@code config.json} of a converted model, by the keys that mlx-lm's model files read. */
final class ConfigJson {
  /** What Hugging Face's own library calls the families that a GGUF file may be of. */
  private static final Map<String, String> CLASSES =
      Map.of(
          "gemma2", "Gemma2ForCausalLM",
          "gemma3_text", "Gemma3ForCausalLM",
          "llama", "LlamaForCausalLM",
          "phi3", "Phi3ForCausalLM",
          "qwen2", "Qwen2ForCausalLM",
          "qwen3", "Qwen3ForCausalLM");

  private ConfigJson() {}

  static Map<String, @Nullable Object> of(Checkpoint checkpoint, Plan plan, AuxiliaryFiles beside) {
    Map<String, @Nullable Object> config = new TreeMap<>(checkpoint.config().values());
    if (!checkpoint.metadata().isEmpty()) {
      ofGguf(config, checkpoint, plan);
      config.putAll(beside.tokens());
    }
    config.remove("_name_or_path");
    config.remove("vision_config"); // its weights are not there, as mlx-lm leaves them out
    plan.dtype().ifPresent(_ -> numbers(config, plan.numbers()));
    config.remove("quantization");
    config.remove("quantization_config");
    quantization(plan).ifPresent(settings -> quantised(config, settings));
    return config;
  }

  private static void ofGguf(
      Map<String, @Nullable Object> config, Checkpoint checkpoint, Plan plan) {
    config.values().removeIf(value -> value == null);
    String type = checkpoint.config().text("model_type");
    config.put("architectures", List.of(CLASSES.getOrDefault(type, type)));
    config.put("torch_dtype", plan.numbers());
    checkpoint
        .config()
        .section("rope_scaling")
        .ifPresent(scaling -> config.put("rope_scaling", scaling(scaling, checkpoint)));
    config.values().removeIf(value -> value == null);
  }

  /** Under both names that readers look for its kind by. */
  private static @Nullable Map<String, @Nullable Object> scaling(
      ModelConfig given, Checkpoint checkpoint) {
    Map<String, @Nullable Object> scaling = new TreeMap<>(given.values());
    if (given.text("rope_type").equals("factors")) {
      scaling = new TreeMap<>(Llama3Factors.rule(given, checkpoint));
    }
    if (scaling.isEmpty()) {
      return null;
    }
    scaling.put("type", scaling.get("rope_type"));
    return scaling;
  }

  private static void numbers(Map<String, @Nullable Object> config, String dtype) {
    config.put("torch_dtype", dtype);
    config.computeIfPresent("dtype", (_, _) -> dtype);
    if (config.get("text_config") instanceof Map<?, ?> given) {
      Map<String, @Nullable Object> text = new LinkedHashMap<>();
      given.forEach((key, value) -> text.put(String.valueOf(key), value));
      text.computeIfPresent("dtype", (_, _) -> dtype);
      text.computeIfPresent("torch_dtype", (_, _) -> dtype);
      config.put("text_config", text);
    }
  }

  private static void quantised(
      Map<String, @Nullable Object> config, Map<String, Object> settings) {
    config.put("quantization", settings);
    config.put("quantization_config", settings);
  }

  /** The most frequent form stands for all, others under their layers' names. */
  private static java.util.Optional<Map<String, Object>> quantization(Plan plan) {
    Map<Map<String, Object>, Long> forms =
        plan.tensors().stream()
            .map(TensorPlan::form)
            .filter(TargetFormat.Affine.class::isInstance)
            .map(form -> settings((TargetFormat.Affine) form))
            .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
    return forms.entrySet().stream()
        .max(
            Map.Entry.<Map<String, Object>, Long>comparingByValue()
                .thenComparing(entry -> entry.getKey().toString(), Comparator.naturalOrder()))
        .map(Map.Entry::getKey)
        .map(usual -> withOthers(usual, plan));
  }

  private static Map<String, Object> withOthers(Map<String, Object> usual, Plan plan) {
    Map<String, Object> all = new LinkedHashMap<>(usual);
    for (TensorPlan tensor : plan.tensors()) {
      if (tensor.form() instanceof TargetFormat.Affine affine && !settings(affine).equals(usual)) {
        all.put(tensor.module(), settings(affine));
      }
    }
    return all;
  }

  private static Map<String, Object> settings(TargetFormat.Affine form) {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("group_size", form.groupSize());
    settings.put("bits", form.bits());
    settings.put("mode", "affine");
    return settings;
  }
}
