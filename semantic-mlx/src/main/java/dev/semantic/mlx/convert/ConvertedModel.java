package dev.semantic.mlx.convert;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A model that was written.
 *
 * @param path its directory
 * @param architecture what its configuration calls itself: {@code llama}
 * @param quantization the most frequent form of its matrices: {@code 4-bit, group 64}
 * @param matrices how many there are of each form
 * @param bitsPerWeight over all tensors, scales and biases included
 * @param weightFiles names, in their order
 * @param sizeBytes of all files
 * @param exact whether every weight means the very number that it meant before
 */
public record ConvertedModel(
    Path path,
    String architecture,
    String quantization,
    Map<String, Integer> matrices,
    double bitsPerWeight,
    List<String> weightFiles,
    long sizeBytes,
    boolean exact) {
  public ConvertedModel {
    matrices = Map.copyOf(matrices);
    weightFiles = List.copyOf(weightFiles);
  }
}
