package dev.semantic.mlx.convert;

import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.checkpoint.Buffers;
import dev.semantic.mlx.checkpoint.Checkpoint;
import dev.semantic.mlx.convert.Rounding.Loss;
import dev.semantic.mlx.convert.TensorPlan.Part;
import dev.semantic.mlx.quant.AffineQuantizer;
import dev.semantic.mlx.quant.AffineRows;
import dev.semantic.model.ModelException;
import java.nio.ByteBuffer;
import java.util.List;

/** Converts rows of one tensor; several threads at once, if not the same rows. */
final class RowConverter {
  private final Checkpoint checkpoint;
  private final TensorPlan tensor;
  private final ShardFile file;
  private final List<Part> parts;
  private final int columns;

  RowConverter(Checkpoint checkpoint, TensorPlan tensor, ShardFile file) {
    this.checkpoint = checkpoint;
    this.tensor = tensor;
    this.file = file;
    this.parts = tensor.parts();
    this.columns = tensor.tensor().columns();
  }

  /**
   * Reads rows, converts and writes them.
   *
   * @return whether they mean what they meant
   */
  boolean convert(int first, int count) {
    return switch (tensor.form()) {
      case TargetFormat.Plain plain -> plain(plain, first, count);
      case TargetFormat.Affine affine ->
          affine.kept() ? kept(affine, first, count) : quantised(affine, first, count);
    };
  }

  private boolean plain(TargetFormat.Plain form, int first, int count) {
    float[] numbers = expanded(first, count);
    boolean moved = false;
    for (int i = 0; form.offset() != 0 && i < numbers.length; i++) {
      float before = numbers[i];
      numbers[i] = before + form.offset();
      moved |= numbers[i] - form.offset() != before;
    }
    Loss loss = rounded(numbers, form.dtype());
    file.write(
        tensor.name(),
        first * form.rowBytes(columns),
        Rounding.bytes(numbers, numbers.length, form.dtype()));
    return loss == Loss.NONE && !moved;
  }

  private boolean kept(TargetFormat.Affine form, int first, int count) {
    AffineRows rows = AffineRows.of(count, columns, form.bits(), form.groupSize());
    checkpoint.pack(tensor.name(), first, count, rows, new Buffers());
    return write(form, rows, first) == Loss.NONE;
  }

  private boolean quantised(TargetFormat.Affine form, int first, int count) {
    float[] numbers = expanded(first, count);
    for (float number : numbers) {
      if (!Float.isFinite(number)) {
        throw new ModelException(
            ModelException.Kind.DAMAGED,
            "tensor %s of %s holds %s, which cannot be quantised. Is it damaged?"
                .formatted(tensor.name(), checkpoint.path(), number));
      }
    }
    rounded(numbers, form.scales());
    AffineRows rows = AffineRows.of(count, columns, form.bits(), form.groupSize());
    AffineQuantizer.quantize(numbers, numbers.length, rows);
    write(form, rows, first);
    return false;
  }

  private float[] expanded(int first, int count) {
    float[] numbers = new float[Math.multiplyExact(count, columns)];
    checkpoint.expand(tensor.name(), first, count, numbers);
    return numbers;
  }

  private Loss write(TargetFormat.Affine form, AffineRows rows, int first) {
    Loss scales = rounded(rows.scales(), form.scales());
    Loss biases = rounded(rows.biases(), form.scales());
    long groups = (long) first * form.groups(columns) * form.scales().bytes();
    file.write(
        parts.get(0).name(),
        (long) first * form.packedBytes(columns),
        ByteBuffer.wrap(rows.weights()));
    file.write(parts.get(1).name(), groups, bytes(rows.scales(), form));
    file.write(parts.get(2).name(), groups, bytes(rows.biases(), form));
    return scales == Loss.NONE ? biases : scales;
  }

  private static ByteBuffer bytes(float[] numbers, TargetFormat.Affine form) {
    return Rounding.bytes(numbers, numbers.length, form.scales());
  }

  private Loss rounded(float[] numbers, DType type) {
    Loss loss = Rounding.round(numbers, numbers.length, type);
    if (loss == Loss.OVERFLOW) {
      throw new ModelException(
          ModelException.Kind.INVALID,
          "tensor %s of %s holds numbers that %s does not reach; choose bfloat16 or float32"
              .formatted(
                  tensor.name(), checkpoint.path(), new TargetFormat.Plain(type, 0).label()));
    }
    return loss;
  }
}
