package dev.semantic.mlx.load;

import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Ops;
import dev.semantic.mlx.array.Scope;
import dev.semantic.mlx.model.Embedding;
import dev.semantic.mlx.model.Linear;
import dev.semantic.mlx.model.Rope;
import dev.semantic.mlx.model.Weights;
import dev.semantic.mlx.weights.AffineRows;
import dev.semantic.mlx.weights.Checkpoint;
import dev.semantic.mlx.weights.ComputePolicy;
import dev.semantic.mlx.weights.RopeScaling;
import dev.semantic.mlx.weights.TensorInfo;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/**
 * Gives an architecture the weights it asks for as arrays that are still empty, in the form that a
 * compute policy chooses, and notes which tensor of the file goes where. So layers are put together
 * in milliseconds, and the numbers come afterwards, on any thread. On the owner thread.
 */
public final class WeightAllocator implements Weights {
  private final Scope scope;
  private final Checkpoint checkpoint;
  private final ComputePolicy policy;
  private final List<MlxArray> arrays = new ArrayList<>();
  private final List<Supplier<RowWriter>> unwritten = new ArrayList<>();

  /** Allocates nothing yet; weights will live in {@code scope}. */
  public WeightAllocator(Scope scope, Checkpoint checkpoint, ComputePolicy policy) {
    this.scope = scope;
    this.checkpoint = checkpoint;
    this.policy = policy;
  }

  /** Gives all arrays that were asked for their memory; what is left to be done comes back. */
  public WeightReader allocate() {
    scope.eval(arrays);
    return new WeightReader(unwritten.stream().map(Supplier::get).toList());
  }

  @Override
  public boolean has(String name) {
    return checkpoint.tensorNames().contains(name);
  }

  @Override
  public MlxArray vector(String name) {
    MlxArray vector = array(name, policy.computeType(), checkpoint.info(name).shape());
    plain(name, vector, 0);
    return vector;
  }

  @Override
  public MlxArray headNorms(String queryNorm, int heads, String keyNorm, int kvHeads) {
    int headDim = checkpoint.info(queryNorm).columns();
    MlxArray norms = array(queryNorm, policy.computeType(), heads + kvHeads, 1, headDim);
    for (int i = 0; i < heads + kvHeads; i++) {
      plain(i < heads ? queryNorm : keyNorm, norms, (long) i * headDim);
    }
    return norms;
  }

  @Override
  public Linear linear(String... names) {
    List<TensorInfo> tensors = Arrays.stream(names).map(checkpoint::info).toList();
    if (!tensors.stream().allMatch(policy::keepsQuantised)) {
      return dense(names);
    }
    if (tensors.stream().map(tensor -> tensor.type().affineBits()).distinct().count() == 1) {
      return affine(names);
    }
    return new Linear.Several(Arrays.stream(names).<Linear>map(this::affine).toList());
  }

  @Override
  public Embedding embedding(String name) {
    if (policy.keepsQuantised(checkpoint.info(name))) {
      return new Embedding.Affine(affine(name), policy.computeType());
    }
    MlxArray table = matrix(name);
    return new Embedding.Dense(table, new Linear.Dense(transposed(table)));
  }

  @Override
  public Rope rope(int headDim, float base, RopeScaling scaling) {
    float[] wavelengths = Rope.wavelengths(headDim, base, scaling);
    if (policy.fusedKernels()) {
      MlxArray array = scope.floats(wavelengths, wavelengths.length).named("rope wavelengths");
      arrays.add(array);
      return new Rope.Fused(headDim, array);
    }
    float[] frequencies = new float[wavelengths.length];
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] = 1 / wavelengths[i];
    }
    return new Rope.Tabled(frequencies);
  }

  private Linear.Dense dense(String... names) {
    return new Linear.Dense(transposed(matrix(names)));
  }

  /** A view, which is evaluated before there are numbers to see. */
  private MlxArray transposed(MlxArray matrix) {
    MlxArray view = Ops.transpose(scope, matrix, 1, 0).named(matrix.name() + ", transposed");
    arrays.add(view.asView());
    return view;
  }

  /** Tensors of equal row length, one below the other: {@code [rows, columns]}. */
  private MlxArray matrix(String... names) {
    int columns = checkpoint.info(names[0]).columns();
    MlxArray all = array(String.join(" + ", names), policy.computeType(), rows(names), columns);
    long at = 0;
    for (String name : names) {
      plain(name, all, at);
      at += checkpoint.info(name).elements();
    }
    return all;
  }

  /** The same, with integers of the same width. */
  private Linear.Affine affine(String... names) {
    TensorInfo first = checkpoint.info(names[0]);
    int bits = first.type().affineBits();
    int groups = first.columns() / AffineRows.GROUP;
    int rows = rows(names);
    String called = String.join(" + ", names);
    MlxArray weights = array(called, DType.UINT32, rows, first.columns() * bits / 32);
    MlxArray scales = array(called + ", scales", policy.computeType(), rows, groups);
    MlxArray biases = array(called + ", biases", policy.computeType(), rows, groups);
    long row = 0;
    for (String name : names) {
      affine(name, row, weights, scales, biases);
      row += checkpoint.info(name).rows();
    }
    return new Linear.Affine(weights, scales, biases, AffineRows.GROUP, bits);
  }

  private int rows(String... names) {
    return Arrays.stream(names)
        .mapToInt(name -> checkpoint.info(name).rows())
        .reduce(0, Math::addExact);
  }

  private MlxArray array(String name, DType type, int... shape) {
    MlxArray array = scope.unfilled(type, shape).named(name);
    arrays.add(array);
    return array;
  }

  /** Notes that a tensor goes into an array, from number {@code at} on. */
  private void plain(String name, MlxArray array, long at) {
    DType type = policy.computeType();
    unwritten.add(
        () ->
            new RowWriter.Plain(
                checkpoint, name, type, scope.writable(array).asSlice(at * type.bytes())));
  }

  private void affine(String name, long row, MlxArray weights, MlxArray scales, MlxArray biases) {
    DType type = policy.computeType();
    TensorInfo tensor = checkpoint.info(name);
    long packed = row * tensor.columns() / Byte.SIZE * tensor.type().affineBits();
    long groups = row * (tensor.columns() / AffineRows.GROUP) * type.bytes();
    unwritten.add(
        () ->
            new RowWriter.Affine(
                checkpoint,
                name,
                type,
                scope.writable(weights).asSlice(packed),
                scope.writable(scales).asSlice(groups),
                scope.writable(biases).asSlice(groups)));
  }
}
