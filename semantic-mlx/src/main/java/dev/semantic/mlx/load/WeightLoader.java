package dev.semantic.mlx.load;

import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Ops;
import dev.semantic.mlx.array.Scope;
import dev.semantic.mlx.model.Embedding;
import dev.semantic.mlx.model.Linear;
import dev.semantic.mlx.model.Rope;
import dev.semantic.mlx.model.Weights;
import dev.semantic.mlx.weights.AffineTensor;
import dev.semantic.mlx.weights.Checkpoint;
import dev.semantic.mlx.weights.ComputePolicy;
import dev.semantic.mlx.weights.RopeScaling;
import dev.semantic.mlx.weights.TensorInfo;
import dev.semantic.spi.LoadProgress;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Brings weights into a scope in the form that a compute policy chooses. Every array is evaluated
 * before it is handed out: nothing of the file is needed afterwards.
 */
public final class WeightLoader implements Weights {
  private final Scope scope;
  private final Checkpoint checkpoint;
  private final ComputePolicy policy;
  private final LoadProgress progress;
  private final long totalBytes;
  private long doneBytes;

  /**
   * Loads nothing yet.
   *
   * @param scope where the weights will live
   * @param totalBytes what all of them will take, for the progress
   */
  public WeightLoader(
      Scope scope,
      Checkpoint checkpoint,
      ComputePolicy policy,
      long totalBytes,
      LoadProgress progress) {
    this.scope = scope;
    this.checkpoint = checkpoint;
    this.policy = policy;
    this.totalBytes = totalBytes;
    this.progress = progress;
  }

  @Override
  public boolean has(String name) {
    return checkpoint.tensorNames().contains(name);
  }

  @Override
  public MlxArray vector(String name) {
    return counted(computing(expanded(name), name));
  }

  @Override
  public MlxArray headNorms(String queryNorm, int heads, String keyNorm, int kvHeads) {
    try (Scope s = scope.child(queryNorm)) {
      int headDim = rowLength(queryNorm);
      MlxArray q = Ops.broadcastTo(s, expandedIn(s, queryNorm), heads, 1, headDim);
      MlxArray k = Ops.broadcastTo(s, expandedIn(s, keyNorm), kvHeads, 1, headDim);
      MlxArray both = Ops.contiguous(s, Ops.concatenate(s, 0, q, k));
      return counted(computing(scope.keep(both), queryNorm));
    }
  }

  @Override
  public Linear linear(String... names) {
    List<AffineTensor> affine = new ArrayList<>();
    for (String name : names) {
      affine(name).ifPresent(affine::add);
    }
    if (affine.size() == names.length) {
      return joined(affine.stream().map(tensor -> packed(tensor)).toList());
    }
    MlxArray matrix = computing(expanded(names), names[0]);
    MlxArray transposed = Ops.transpose(scope, matrix, 1, 0);
    scope.eval(transposed);
    counted(matrix);
    scope.release(matrix);
    return new Linear.Dense(transposed.named(String.join(" + ", names)));
  }

  @Override
  public Embedding embedding(String name) {
    Optional<AffineTensor> affine = affine(name);
    if (affine.isPresent()) {
      return new Embedding.Affine(packed(affine.get()), policy.computeType());
    }
    MlxArray table = counted(computing(expanded(name), name));
    MlxArray transposed = Ops.transpose(scope, table, 1, 0);
    scope.eval(transposed);
    return new Embedding.Dense(table, new Linear.Dense(transposed));
  }

  @Override
  public Rope rope(int headDim, float base, RopeScaling scaling) {
    float[] wavelengths = Rope.wavelengths(headDim, base, scaling);
    if (policy.fusedKernels()) {
      MlxArray array = scope.floats(wavelengths, wavelengths.length).named("rope wavelengths");
      scope.eval(array);
      return new Rope.Fused(headDim, array);
    }
    float[] frequencies = new float[wavelengths.length];
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] = 1 / wavelengths[i];
    }
    return new Rope.Tabled(frequencies);
  }

  private Optional<AffineTensor> affine(String name) {
    return policy.keepsQuantised(checkpoint.info(name))
        ? checkpoint.readAffine(name)
        : Optional.empty();
  }

  private Linear.Affine packed(AffineTensor tensor) {
    MlxArray weights =
        scope.copyOf(
            tensor.weights(), DType.UINT32, tensor.rows(), tensor.columns() * tensor.bits() / 32);
    MlxArray scales = group(tensor, tensor.scales());
    MlxArray biases = group(tensor, tensor.biases());
    scope.eval(weights, scales, biases);
    counted(weights);
    counted(scales);
    counted(biases);
    return new Linear.Affine(weights, scales, biases, tensor.groupSize(), tensor.bits());
  }

  private MlxArray group(AffineTensor tensor, MemorySegment numbers) {
    try (Scope s = scope.child("groups")) {
      int columns = tensor.columns() / tensor.groupSize();
      MlxArray read = s.copyOf(numbers, DType.FLOAT32, tensor.rows(), columns);
      MlxArray typed = Ops.astype(s, read, policy.computeType());
      s.eval(typed);
      return scope.keep(typed);
    }
  }

  /** One matrix where the forms agree, else one after the other. */
  private Linear joined(List<Linear.Affine> parts) {
    Linear.Affine first = parts.getFirst();
    if (parts.size() == 1) {
      return first;
    }
    boolean alike =
        parts.stream()
            .allMatch(p -> p.bits() == first.bits() && p.groupSize() == first.groupSize());
    if (!alike) {
      return new Linear.Several(List.copyOf(parts));
    }
    Linear.Affine all =
        new Linear.Affine(
            stacked(parts.stream().map(Linear.Affine::weights).toList()),
            stacked(parts.stream().map(Linear.Affine::scales).toList()),
            stacked(parts.stream().map(Linear.Affine::biases).toList()),
            first.groupSize(),
            first.bits());
    for (Linear.Affine part : parts) {
      scope.release(part.weights());
      scope.release(part.scales());
      scope.release(part.biases());
    }
    return all;
  }

  private MlxArray stacked(List<MlxArray> parts) {
    MlxArray all = Ops.concatenate(scope, 0, parts.toArray(MlxArray[]::new));
    scope.eval(all);
    return all;
  }

  /** Tensors of equal row length, one below the other, as float32: {@code [rows, columns]}. */
  private MlxArray expanded(String... names) {
    return expandedIn(scope, names);
  }

  private MlxArray expandedIn(Scope s, String... names) {
    int columns = rowLength(names[0]);
    long rows = 0;
    for (String name : names) {
      rows += elements(name) / columns;
    }
    boolean vector = names.length == 1 && checkpoint.info(names[0]).shape().length == 1;
    int[] shape = vector ? new int[] {columns} : new int[] {Math.toIntExact(rows), columns};
    return s.filled(
        DType.FLOAT32,
        memory -> {
          long at = 0;
          for (String name : names) {
            long bytes = elements(name) * Float.BYTES;
            checkpoint.readFloats(name, memory.asSlice(at, bytes));
            at += bytes;
          }
        },
        shape);
  }

  private long elements(String name) {
    long product = 1;
    for (int dimension : checkpoint.info(name).shape()) {
      product *= dimension;
    }
    return product;
  }

  private int rowLength(String name) {
    TensorInfo info = checkpoint.info(name);
    return info.shape()[info.shape().length - 1];
  }

  /** The array in the number format that is computed with. */
  private MlxArray computing(MlxArray array, String name) {
    if (array.dtype() != policy.computeType()) {
      MlxArray typed = Ops.astype(scope, array, policy.computeType());
      scope.eval(typed);
      scope.release(array);
      return typed.named(name);
    }
    scope.eval(array);
    return array.named(name);
  }

  private MlxArray counted(MlxArray array) {
    doneBytes += array.bytes();
    progress.update(Math.min(doneBytes, totalBytes), totalBytes);
    return array;
  }
}
