package dev.semantic.mlx.convert;

import dev.semantic.mlx.architecture.ModelConfig;
import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.checkpoint.Checkpoint;
import dev.semantic.mlx.checkpoint.TensorInfo;
import dev.semantic.mlx.convert.ModelConversion.Dtype;
import dev.semantic.mlx.quant.NumberFormat;
import dev.semantic.model.ModelException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What becomes of each tensor of a model.
 *
 * @param dtype the number format that was asked for, or that the model's configuration names; empty
 *     where each tensor keeps its own
 */
record Plan(List<TensorPlan> tensors, Optional<DType> dtype) {
  Plan {
    tensors = List.copyOf(tensors);
  }

  /**
   * Decides; reads headers only.
   *
   * @throws ModelException if it cannot or should not be done
   */
  static Plan of(Checkpoint checkpoint, ConversionOptions options) {
    Optional<DType> dtype = options.dtype().map(Dtype::type).or(() -> named(checkpoint));
    List<TensorPlan> all = new ArrayList<>();
    checkpoint
        .tensors()
        .forEach((name, info) -> all.add(planned(checkpoint, options, dtype, name, info)));
    Plan plan = new Plan(all, dtype);
    if (options.bits().isPresent()) {
      plan.requireQuantised(checkpoint, options);
    }
    return plan;
  }

  /** As mlx-lm's converter has it. A GGUF file names none. */
  private static Optional<DType> named(Checkpoint checkpoint) {
    if (checkpoint.numbers().isEmpty()) {
      return Optional.empty();
    }
    ModelConfig config = checkpoint.config();
    Object given = config.values().get("torch_dtype");
    if (given == null) {
      given =
          config
              .section("text_config")
              .map(text -> (Object) text.values().get("dtype"))
              .orElse(null);
    }
    return Dtype.parse(String.valueOf(given)).map(Dtype::type);
  }

  private static TensorPlan planned(
      Checkpoint checkpoint,
      ConversionOptions options,
      Optional<DType> dtype,
      String name,
      TensorInfo tensor) {
    NumberFormat has = tensor.type();
    DType numbers = dtype.orElse(has.numbers());
    TargetFormat.Plain plain = new TargetFormat.Plain(numbers, normOffset(checkpoint, tensor));
    if (tensor.shape().length != 2) {
      return new TensorPlan(name, tensor, plain);
    }
    int own = options.dequantize() ? 0 : has.exactBits();
    TargetFormat.Affine kept = new TargetFormat.Affine(own, has.groupSize(), numbers, true);
    if (options.bits().isEmpty()) {
      return new TensorPlan(name, tensor, own == 0 ? plain : kept);
    }
    if (own != 0 && checkpoint.numbers().isPresent()) {
      throw new ModelException(
          ModelException.Kind.INVALID,
          ("%s is quantised already (%s); quantising it once more would lose twice. Convert the"
                  + " model it was made from, or --dequantize this one first")
              .formatted(checkpoint.path(), has.label()));
    }
    int bits = options.bits().get();
    if (own == bits && has.groupSize() == options.groupSize()) {
      return new TensorPlan(name, tensor, kept);
    }
    boolean fits = tensor.columns() % options.groupSize() == 0;
    TargetFormat form =
        fits ? new TargetFormat.Affine(bits, options.groupSize(), numbers, false) : plain;
    return new TensorPlan(name, tensor, form);
  }

  /** GGUF has norms as they are multiplied with, the layout as what they differ from one by. */
  private static float normOffset(Checkpoint checkpoint, TensorInfo tensor) {
    boolean norm = tensor.shape().length == 1;
    boolean around = checkpoint.decoder().norms().aroundOne() && checkpoint.normsAreWhole();
    return norm && around ? -1 : 0;
  }

  private void requireQuantised(Checkpoint checkpoint, ConversionOptions options) {
    if (tensors.stream().noneMatch(each -> each.form() instanceof TargetFormat.Affine)) {
      throw new ModelException(
          ModelException.Kind.INVALID,
          "No matrix of %s has rows of a multiple of %d numbers; choose a smaller group size"
              .formatted(checkpoint.path(), options.groupSize()));
    }
  }

  List<TensorPlan> matrices() {
    return tensors.stream().filter(TensorPlan::isMatrix).toList();
  }

  /** Bytes of weights. */
  long bytes() {
    return tensors.stream().mapToLong(TensorPlan::bytes).sum();
  }

  /** The format of all plain numbers and scales, by its name; of several the widest. */
  String numbers() {
    List<DType> all = tensors.stream().map(Plan::numbers).distinct().toList();
    DType one = all.size() == 1 ? all.getFirst() : DType.FLOAT32;
    return one.name().toLowerCase(Locale.ROOT);
  }

  private static DType numbers(TensorPlan tensor) {
    return switch (tensor.form()) {
      case TargetFormat.Plain plain -> plain.dtype();
      case TargetFormat.Affine affine -> affine.scales();
    };
  }
}
