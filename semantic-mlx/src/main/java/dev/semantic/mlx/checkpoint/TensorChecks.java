package dev.semantic.mlx.checkpoint;

import dev.semantic.mlx.architecture.Architecture;
import dev.semantic.mlx.architecture.ModelConfig;
import dev.semantic.mlx.architecture.ModelDescription;
import dev.semantic.model.ModelException;
import java.nio.file.Path;
import java.util.Arrays;

/** What an architecture wants, held against what the files have. */
final class TensorChecks {
  /** More layers than any model has; a damaged number may ask for millions. */
  private static final int MOST_LAYERS = 2000;

  private TensorChecks() {}

  /** The description of a model, or why it cannot be. */
  static ModelDescription describe(ModelConfig config) {
    Architecture architecture = Architecture.of(config);
    ModelConfig text = config.section("text_config").orElse(config);
    int layers = text.count("num_hidden_layers", 1);
    if (layers > MOST_LAYERS) {
      throw text.wrong("num_hidden_layers is %d; is it damaged?".formatted(layers));
    }
    try {
      ModelDescription description = architecture.decoder(config);
      description.tensors(true);
      return description;
    } catch (IllegalArgumentException | ArithmeticException e) {
      ModelException wrong =
          config.wrong("it describes a model that cannot be: %s".formatted(e.getMessage()));
      wrong.initCause(e);
      throw wrong;
    }
  }

  /** Refuses a tensor that has another shape than the description wants. */
  static void requireShape(
      ModelDescription description, String name, Path file, int[] actual, int[] expected) {
    if (!Arrays.equals(actual, expected)) {
      throw new ModelException(
          ModelException.Kind.DAMAGED,
          "tensor %s in %s is %s, expected %s (hidden_size %d). Is it another model's file?"
              .formatted(
                  name,
                  file.getFileName(),
                  Arrays.toString(actual),
                  Arrays.toString(expected),
                  description.hiddenSize()));
    }
  }

  static ModelException missing(
      String name, Path where, ModelConfig config, ModelDescription description) {
    return new ModelException(
        ModelException.Kind.DAMAGED,
        "%s lacks tensor %s of a %s model with %d layers. Is it whole? Fetch it again."
            .formatted(
                where.getFileName(), name, config.text("model_type"), description.layers().size()));
  }

  /**
   * A tensor that is left out (a bias, say) would make another model of it, and nobody would see.
   */
  static ModelException unknown(String name, Path file, ModelConfig config) {
    return new ModelException(
        ModelException.Kind.DAMAGED,
        "%s has a tensor %s, which a %s model of this configuration does not know. Is it another"
                .formatted(file.getFileName(), name, config.text("model_type"))
            + " model's file?");
  }
}
