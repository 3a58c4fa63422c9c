package dev.semantic.mlx.checkpoint;

import dev.semantic.mlx.architecture.ModelConfig;
import dev.semantic.mlx.quant.AffineFormat;
import dev.semantic.mlx.quant.TensorType;
import dev.semantic.model.ModelException;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What {@code config.json} says of quantised layers, as mlx-lm reads it: one setting for all, and
 * under a layer's own name another one, {@code true} for that of all, or {@code false}. Where a
 * layer is not named, its tensors decide.
 */
final class QuantizationConfig {
  private final ModelConfig config;
  private final @Nullable ModelConfig settings;

  private QuantizationConfig(ModelConfig config, @Nullable ModelConfig settings) {
    this.config = config;
    this.settings = settings;
  }

  /**
   * Reads it.
   *
   * @throws ModelException if the model is quantised in another way than MLX's
   */
  static QuantizationConfig of(ModelConfig config) {
    Optional<ModelConfig> ours = config.section("quantization");
    Optional<ModelConfig> others = config.section("quantization_config");
    if (ours.isEmpty() && others.isPresent() && others.get().has("quant_method")) {
      throw others
          .get()
          .unsupported(
              "quant_method is '%s'; only MLX's own quantisation can be loaded. Convert it with mlx-lm"
                  .formatted(others.get().text("quant_method")));
    }
    QuantizationConfig read = new QuantizationConfig(config, ours.or(() -> others).orElse(null));
    if (read.settings != null) {
      requireAffine(read.settings);
      read.settings.count("bits");
      read.settings.count("group_size");
    }
    return read;
  }

  private static void requireAffine(ModelConfig settings) {
    String mode = settings.text("mode", "affine");
    if (!mode.equals("affine")) {
      throw settings.unsupported(
          "quantisation mode is '%s'; only 'affine' can be loaded. Quantise the model anew"
              .formatted(mode));
    }
  }

  /**
   * The form of a layer's matrix.
   *
   * @param module the layer's name
   * @param weight what lies under {@code .weight}
   * @param scales what lies under {@code .scales}
   */
  AffineFormat of(
      String module,
      SafetensorsHeader.Entry weight,
      SafetensorsHeader.Entry scales,
      int[] expected) {
    if (settings == null) {
      throw config.wrong(
          "it says nothing of quantisation, but there is a tensor %s".formatted(scales.name()));
    }
    Object said = settings.values().get(module);
    boolean named = said != null;
    if (Boolean.FALSE.equals(said)) {
      throw settings.wrong(
          "%s is false, but there is a tensor %s".formatted(module, scales.name()));
    }
    ModelConfig own =
        named && !Boolean.TRUE.equals(said) ? settings.section(module).orElseThrow() : settings;
    requireAffine(own);
    TensorType type =
        DirectoryCheckpoint.plain(scales.dtype())
            .orElseThrow(
                () ->
                    settings.unsupported(
                        "tensor %s is of %s: a quantisation mode other than 'affine', which cannot be loaded"
                            .formatted(scales.name(), scales.dtype())));
    AffineFormat found = inferred(weight, scales, expected, type);
    if (named
        && (own.count("bits") != found.affineBits()
            || own.count("group_size") != found.groupSize())) {
      throw own.wrong(
          "it says %d bits and groups of %d, but the tensors have %d bits and groups of %d. Is it another model's file?"
              .formatted(
                  own.count("bits"),
                  own.count("group_size"),
                  found.affineBits(),
                  found.groupSize()));
    }
    return found;
  }

  private AffineFormat inferred(
      SafetensorsHeader.Entry weight,
      SafetensorsHeader.Entry scales,
      int[] expected,
      TensorType type) {
    int out = expected[0];
    int in = expected[1];
    int[] packed = weight.shape();
    int[] groups = scales.shape();
    if (weight.dtype().equals("U32")
        && packed.length == 2
        && groups.length == 2
        && packed[0] == out
        && groups[0] == out
        && groups[1] > 0) {
      int groupSize = in / groups[1];
      long bits = packed[1] * 32L / in;
      boolean whole = groupSize * groups[1] == in && bits * in == packed[1] * 32L;
      if (whole
          && AffineFormat.BITS.contains((int) bits)
          && AffineFormat.GROUP_SIZES.contains(groupSize)) {
        return new AffineFormat((int) bits, groupSize, type);
      }
    }
    throw config.wrong(
        "tensors %s %s of %s and %s %s do not make a matrix %s of %s bits in groups of %s"
            .formatted(
                weight.name(),
                Arrays.toString(packed),
                weight.dtype(),
                scales.name(),
                Arrays.toString(groups),
                Arrays.toString(expected),
                AffineFormat.BITS,
                AffineFormat.GROUP_SIZES));
  }
}
