package dev.semantic.mlx.load;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.architecture.AttentionSpec;
import dev.semantic.mlx.architecture.ModelDescription;
import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.checkpoint.Checkpoint;
import dev.semantic.mlx.checkpoint.TensorInfo;
import dev.semantic.model.KvPrecision;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * In which form a device computes a model. What lies between two matrices, and the KV cache, has
 * the number format that the model was made for, so that numbers are rounded where the reference
 * rounds them. Matrices have the form that is fast: MLX's CPU kernels are made for float32 (a
 * matrix in any other form takes 2 to 1,800 times as long), our own CPU kernels for quantised
 * weights, and a GPU's for those and 16-bit numbers. A model whose tokens take so little work that
 * this hardly counts is computed by the very kernels that the reference uses, to the same bits.
 *
 * @param weightFormat of the matrices
 * @param activations the number format of activations, norms, keys and values
 * @param gpu whether MLX's fused operations are kernels of their own on this device
 * @param kernels whether our own CPU kernels multiply with the quantised matrices
 */
public record ComputePolicy(
    WeightFormat weightFormat, DType activations, boolean gpu, boolean kernels) {
  /** What becomes of matrices; with MLX's CPU kernels that of fewer bytes is slower. */
  public enum WeightFormat {
    /** All numbers are written out, on a CPU as float32. */
    EXPANDED,
    /** They stay quantised where MLX has the same integers; a CPU has float32 scales. */
    QUANTISED,
    /** The same, and what is not quantised keeps the 16 bits it has in the file. */
    HALF,
    /** As in the file, scales included. */
    NATIVE
  }

  private static final String BIAS = ".bias";

  /** What a registry keeps for the caches of agents unless told otherwise. */
  private static final ByteSize USUAL_CACHES = ByteSize.ofGiB(1);

  /**
   * Up to so many parameters a model of 16 bits is computed as it is in its file, and beyond that
   * as long as a token takes no more time than the two next constants. On a CPU MLX sums quantised
   * products in 16 bits one after the other, which no other form repeats.
   */
  private static final long SMALL = 1 << 22;

  /** The most for a token of a prompt: 64 of them are a second and a quarter. */
  private static final long PROMPT_NANOS = 20_000_000;

  /** The most for a token of an answer: four of them a second. */
  private static final long STEP_NANOS = 250_000_000;

  /**
   * What computes.
   *
   * @param gpu whether it is a GPU
   * @param kernels whether it has CPU kernels of our own
   */
  public record Device(boolean gpu, boolean kernels) {
    /** A CPU with MLX's kernels. */
    public static final Device CPU = new Device(false, false);

    /** A GPU. */
    public static final Device GPU = new Device(true, false);
  }

  /**
   * The policy for a model on a device: on a CPU the fastest form that the budget holds, and the
   * one of fewest bytes where it holds none.
   *
   * @param working what computing takes besides the weights and the caches
   */
  public static ComputePolicy choose(
      Checkpoint checkpoint, Device device, MemoryBudget budget, ByteSize working) {
    if (device.gpu()) {
      return of(WeightFormat.QUANTISED, checkpoint, device);
    }
    ComputePolicy smallest = of(WeightFormat.EXPANDED, checkpoint, device);
    if (smallest.activations() != DType.FLOAT32 && isLittleWork(checkpoint)) {
      return of(WeightFormat.NATIVE, checkpoint, device);
    }
    ByteSize eighth = new ByteSize(budget.total().bytes() / 8);
    ByteSize caches = eighth.compareTo(USUAL_CACHES) < 0 ? eighth : USUAL_CACHES;
    for (WeightFormat weightFormat : fastestFirst(checkpoint, device)) {
      ComputePolicy next = of(weightFormat, checkpoint, device);
      ByteSize weights = new ByteSize(next.weightBytes(checkpoint));
      if (budget.holds(weights, caches, working)) {
        return next;
      }
      smallest = weights.bytes() < smallest.weightBytes(checkpoint) ? next : smallest;
    }
    return smallest;
  }

  /** Our own kernels read quantised matrices as fast as memory gives them. */
  private static List<WeightFormat> fastestFirst(Checkpoint checkpoint, Device device) {
    return of(WeightFormat.QUANTISED, checkpoint, device).kernels()
        ? List.of(WeightFormat.QUANTISED, WeightFormat.HALF)
        : List.of(WeightFormat.EXPANDED, WeightFormat.QUANTISED, WeightFormat.HALF);
  }

  private static boolean isLittleWork(Checkpoint checkpoint) {
    NativeFormatCost cost = NativeFormatCost.of(checkpoint);
    boolean quick = cost.prompt() <= PROMPT_NANOS && cost.step() <= STEP_NANOS;
    return quick || checkpoint.parameters() <= SMALL;
  }

  /** A form that somebody else has chosen. */
  public static ComputePolicy of(WeightFormat weightFormat, Checkpoint checkpoint, Device device) {
    DType unsaid = device.gpu() ? DType.BFLOAT16 : DType.FLOAT32;
    DType activations = checkpoint.numbers().orElse(unsaid);
    ComputePolicy with = new ComputePolicy(weightFormat, activations, device.gpu(), true);
    boolean mine = weightFormat == WeightFormat.QUANTISED || weightFormat == WeightFormat.HALF;
    boolean kernels =
        device.kernels()
            && mine
            && checkpoint.tensors().values().stream().anyMatch(with::keepsQuantised);
    return new ComputePolicy(weightFormat, activations, device.gpu(), kernels);
  }

  /** Whether our own CPU kernels also compute what lies between matrices: float32 numbers only. */
  public boolean kernelsBetween() {
    return kernels && activations == DType.FLOAT32;
  }

  /** The number format of matrices that are not quantised, and of their biases. */
  public DType matrices() {
    boolean narrow = weightFormat == WeightFormat.HALF || weightFormat == WeightFormat.NATIVE;
    return gpu || narrow ? activations : DType.FLOAT32;
  }

  /** The number format of the scales of quantised matrices. */
  public DType scales() {
    return gpu || weightFormat == WeightFormat.NATIVE ? activations : DType.FLOAT32;
  }

  /** The number format of keys and values. */
  public KvPrecision kvPrecision() {
    return switch (activations) {
      case FLOAT16 -> KvPrecision.FLOAT16;
      case BFLOAT16 -> KvPrecision.BFLOAT16;
      default -> KvPrecision.FLOAT32;
    };
  }

  /** Whether a tensor stays as it is in the file. */
  public boolean keepsQuantised(TensorInfo tensor) {
    return weightFormat != WeightFormat.EXPANDED
        && tensor.shape().length == 2
        && (kernels ? tensor.type().exactBits() : tensor.type().affineBits()) > 0;
  }

  /** The number format in which products with a matrix are computed, and its bias is held. */
  public DType numbers(TensorInfo matrix) {
    return keepsQuantised(matrix) ? scales() : matrices();
  }

  /** For people: {@code float32}, or {@code quantised, float32 scales, own CPU kernels}. */
  public String label(Checkpoint checkpoint) {
    boolean quantised = checkpoint.tensors().values().stream().anyMatch(this::keepsQuantised);
    DType held = quantised ? scales() : matrices();
    String form = (quantised ? "quantised, %s scales" : "%s").formatted(name(held));
    String used = kernels ? form + ", own CPU kernels" : form;
    return held == activations ? used : used + ", " + name(activations) + " activations";
  }

  private static String name(DType type) {
    return type.name().toLowerCase(Locale.ROOT);
  }

  /** Bytes that a checkpoint's weights will take in memory. */
  public long weightBytes(Checkpoint checkpoint) {
    long bytes = 0;
    for (Map.Entry<String, TensorInfo> tensor : checkpoint.tensors().entrySet()) {
      bytes += bytes(checkpoint, tensor.getKey(), tensor.getValue());
    }
    for (ModelDescription.Layer layer : checkpoint.decoder().layers()) {
      AttentionSpec attention = layer.attention();
      if (attention.headNorms()) { // which are held once for every head
        long more = attention.heads() + attention.kvHeads() - 2L;
        bytes += more * attention.headDim() * activations.bytes();
      }
    }
    return bytes;
  }

  private long bytes(Checkpoint checkpoint, String name, TensorInfo tensor) {
    if (keepsQuantised(tensor)) {
      long groups = tensor.elements() / tensor.type().groupSize();
      return tensor.elements() / Byte.SIZE * tensor.type().exactBits()
          + groups * 2 * scales().bytes();
    }
    return tensor.elements() * written(checkpoint, name, tensor).bytes();
  }

  private DType written(Checkpoint checkpoint, String name, TensorInfo tensor) {
    if (name.endsWith(BIAS)) {
      String matrix = name.substring(0, name.length() - BIAS.length()) + ".weight";
      return numbers(checkpoint.info(matrix));
    }
    return tensor.shape().length == 2 ? matrices() : activations;
  }
}
