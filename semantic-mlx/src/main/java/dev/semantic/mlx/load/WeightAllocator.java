package dev.semantic.mlx.load;

import dev.semantic.mlx.architecture.RopeScaling;
import dev.semantic.mlx.architecture.RotarySpec;
import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Ops;
import dev.semantic.mlx.array.Scope;
import dev.semantic.mlx.checkpoint.Checkpoint;
import dev.semantic.mlx.checkpoint.TensorInfo;
import dev.semantic.mlx.layers.Embedding;
import dev.semantic.mlx.layers.Linear;
import dev.semantic.mlx.layers.RmsNorm;
import dev.semantic.mlx.layers.Rope;
import dev.semantic.mlx.layers.Weights;
import dev.semantic.mlx.load.ComputePolicy.WeightFormat;
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
  private static final String WEIGHT = ".weight";
  private static final String BIAS = ".bias";

  private final Scope scope;
  private final Checkpoint checkpoint;
  private final ComputePolicy policy;
  private final List<MlxArray> arrays = new ArrayList<>();
  private final List<Supplier<TensorWriter>> unwritten = new ArrayList<>();

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
  public boolean has(String module) {
    return checkpoint.tensors().containsKey(module + WEIGHT);
  }

  @Override
  public RmsNorm norm(String module, float eps) {
    String name = module + WEIGHT;
    MlxArray weight = array(name, policy.activations(), checkpoint.info(name).shape());
    plain(name, weight, 0, normOffset());
    return new RmsNorm(weight, eps, kernels());
  }

  @Override
  public MlxArray headNorms(String queryNorm, int heads, String keyNorm, int kvHeads) {
    String query = queryNorm + WEIGHT;
    int headDim = checkpoint.info(query).columns();
    MlxArray norms = array(query, policy.activations(), heads + kvHeads, 1, headDim);
    for (int i = 0; i < heads + kvHeads; i++) {
      plain(i < heads ? query : keyNorm + WEIGHT, norms, (long) i * headDim, normOffset());
    }
    return norms;
  }

  /** What is added to the weights of norms that are stored as their difference from one. */
  private float normOffset() {
    boolean around = checkpoint.decoder().norms().aroundOne() && !checkpoint.normsAreWhole();
    return around ? 1 : 0;
  }

  @Override
  public Linear linear(boolean bias, String... modules) {
    List<TensorInfo> tensors = Arrays.stream(named(WEIGHT, modules)).map(checkpoint::info).toList();
    if (tensors.stream().map(this::form).distinct().count() > 1) {
      return new Linear.Several(
          Arrays.stream(modules).map(module -> linear(bias, module)).toList());
    }
    DType held = policy.numbers(tensors.getFirst());
    Linear matrix =
        policy.keepsQuantised(tensors.getFirst())
            ? affine(named(WEIGHT, modules))
            : new Linear.Dense(transposed(matrix(named(WEIGHT, modules))));
    return rounded(bias ? biased(matrix, held, named(BIAS, modules)) : matrix, held);
  }

  private Linear biased(Linear matrix, DType held, String... names) {
    int[] rows = Arrays.stream(names).mapToInt(name -> checkpoint.info(name).columns()).toArray();
    MlxArray all = array(String.join(" + ", names), held, Arrays.stream(rows).sum());
    long at = 0;
    for (int i = 0; i < names.length; i++) {
      plain(names[i], all, at, 0);
      at += rows[i];
    }
    return new Linear.Biased(matrix, all);
  }

  /** Matrices of equal form lie in one. */
  private List<Integer> form(TensorInfo tensor) {
    return policy.keepsQuantised(tensor)
        ? List.of(tensor.type().exactBits(), tensor.type().groupSize())
        : List.of();
  }

  private Linear rounded(Linear linear, DType held) {
    DType computed = policy.activations();
    return held == computed ? linear : new Linear.Wider(linear, held, computed);
  }

  private static String[] named(String suffix, String... modules) {
    return Arrays.stream(modules).map(module -> module + suffix).toArray(String[]::new);
  }

  @Override
  public Embedding embedding(String module) {
    String name = module + WEIGHT;
    if (policy.keepsQuantised(checkpoint.info(name))) {
      Linear.Affine table = affine(name);
      return new Embedding.Affine(table, rounded(table, policy.scales()), policy.activations());
    }
    MlxArray table = matrix(name);
    Linear head = rounded(new Linear.Dense(transposed(table)), policy.matrices());
    return new Embedding.Dense(table, head, policy.activations());
  }

  @Override
  public boolean kernels() {
    return policy.kernelsBetween();
  }

  @Override
  public Rope rope(RotarySpec rotary) {
    Rope all = wholeRope(rotary);
    int headDim = checkpoint.decoder().layers().getFirst().attention().headDim();
    float magnitude = rotary.scaling().magnitude();
    return rotary.dimensions() == headDim && magnitude == 1
        ? all
        : new Rope.Front(all, rotary.dimensions(), magnitude);
  }

  private Rope wholeRope(RotarySpec rotary) {
    boolean asReference = policy.weightFormat() == WeightFormat.NATIVE;
    if (asReference && rotary.scaling() instanceof RopeScaling.None) {
      return new Rope.Based(rotary.dimensions(), rotary.base(), 1);
    }
    if (asReference && rotary.scaling() instanceof RopeScaling.Linear(float factor)) {
      return new Rope.Based(rotary.dimensions(), rotary.base(), 1 / factor);
    }
    float[] wavelengths = rotary.wavelengths();
    if (policy.gpu()) {
      MlxArray array = scope.floats(wavelengths, wavelengths.length).named("rope wavelengths");
      arrays.add(array);
      return new Rope.Fused(rotary.dimensions(), array);
    }
    float[] frequencies = new float[wavelengths.length];
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] = 1 / wavelengths[i];
    }
    return new Rope.Tabled(frequencies, kernels());
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
    MlxArray all = array(String.join(" + ", names), policy.matrices(), rows(names), columns);
    long at = 0;
    for (String name : names) {
      plain(name, all, at, 0);
      at += checkpoint.info(name).elements();
    }
    return all;
  }

  /** The same, with integers of the same width. */
  private Linear.Affine affine(String... names) {
    TensorInfo first = checkpoint.info(names[0]);
    int bits = first.type().exactBits();
    int groupSize = first.type().groupSize();
    int rows = rows(names);
    String called = String.join(" + ", names);
    MlxArray weights = array(called, DType.UINT32, rows, packed(first) / Integer.BYTES);
    int groups = first.columns() / groupSize;
    MlxArray scales = array(called + ", scales", policy.scales(), rows, groups);
    MlxArray biases = array(called + ", biases", policy.scales(), rows, groups);
    long row = 0;
    for (String name : names) {
      affine(name, row, weights, scales, biases);
      row += checkpoint.info(name).rows();
    }
    return new Linear.Affine(weights, scales, biases, groupSize, bits, policy.kernels());
  }

  /** Bytes of a row of integers. */
  private static int packed(TensorInfo tensor) {
    return tensor.columns() / Byte.SIZE * tensor.type().exactBits();
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
  private void plain(String name, MlxArray array, long at, float offset) {
    DType type = array.dtype();
    unwritten.add(
        () ->
            new TensorWriter.Plain(
                checkpoint, name, type, offset, scope.writable(array).asSlice(at * type.bytes())));
  }

  private void affine(String name, long row, MlxArray weights, MlxArray scales, MlxArray biases) {
    DType type = policy.scales();
    TensorInfo tensor = checkpoint.info(name);
    long integers = row * packed(tensor);
    long groups = row * (tensor.columns() / tensor.type().groupSize()) * type.bytes();
    unwritten.add(
        () ->
            new TensorWriter.Affine(
                checkpoint,
                name,
                type,
                scope.writable(weights).asSlice(integers),
                scope.writable(scales).asSlice(groups),
                scope.writable(biases).asSlice(groups)));
  }
}
