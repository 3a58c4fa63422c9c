package dev.semantic.mlx.convert;

import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.checkpoint.TensorInfo;
import java.util.List;

/**
 * A tensor and what becomes of it.
 *
 * @param name by Hugging Face's rules
 * @param tensor as it is
 */
record TensorPlan(String name, TensorInfo tensor, TargetFormat form) {
  /** An entry of a safetensors file. */
  record Part(String name, DType dtype, int[] shape, long bytes) {}

  boolean isMatrix() {
    return tensor.shape().length == 2;
  }

  /** The layer's name, which is the tensor's without {@code .weight}. */
  String module() {
    return name.substring(0, name.lastIndexOf('.'));
  }

  long bytes() {
    return tensor.rows() * form.rowBytes(tensor.columns());
  }

  /** The numbers; or integers, scales and biases, in this order. */
  List<Part> parts() {
    int rows = tensor.rows();
    int columns = tensor.columns();
    return switch (form) {
      case TargetFormat.Plain plain ->
          List.of(new Part(name, plain.dtype(), tensor.shape(), bytes()));
      case TargetFormat.Affine affine -> {
        int packed = affine.packedBytes(columns);
        int[] integers = {rows, packed / Integer.BYTES};
        int[] groups = {rows, affine.groups(columns)};
        long groupBytes = (long) rows * groups[1] * affine.scales().bytes();
        yield List.of(
            new Part(name, DType.UINT32, integers, (long) rows * packed),
            new Part(module() + ".scales", affine.scales(), groups, groupBytes),
            new Part(module() + ".biases", affine.scales(), groups, groupBytes));
      }
    };
  }
}
