package dev.semantic.mlx.weights;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.architecture.Attention;
import dev.semantic.mlx.architecture.Decoder;
import dev.semantic.mlx.array.DType;
import dev.semantic.model.KvPrecision;
import java.util.Locale;
import java.util.Map;

/**
 * In which form a device computes a model. What lies between two matrices, and the KV cache, has
 * the number format that the model was made for, so that numbers are rounded where the reference
 * rounds them. Matrices have the form that is fast: MLX's CPU kernels are made for float32 (a
 * matrix in any other form takes 2 to 1,800 times as long), a GPU's for quantised weights and
 * 16-bit numbers.
 *
 * @param form of the matrices
 * @param activations the number format of activations, norms, keys and values
 * @param gpu whether MLX's fused operations are kernels of their own on this device
 */
public record ComputePolicy(Form form, DType activations, boolean gpu) {
  /** What becomes of quantised matrices. */
  public enum Form {
    /** Numbers are written out, on a CPU as float32. */
    EXPANDED,
    /** They stay quantised where MLX has the same integers; a CPU has float32 scales. */
    QUANTISED
  }

  /** What a registry keeps for the caches of agents unless told otherwise. */
  private static final ByteSize USUAL_CACHES = ByteSize.ofGiB(1);

  /**
   * The policy for a model on a device: on a CPU float32 where the budget holds that, else
   * quantised.
   *
   * @param working what computing takes besides the weights and the caches
   */
  public static ComputePolicy choose(
      Checkpoint checkpoint, boolean gpu, MemoryBudget budget, ByteSize working) {
    if (gpu) {
      DType type = checkpoint.numbers().orElse(DType.BFLOAT16);
      return new ComputePolicy(Form.QUANTISED, type, true);
    }
    DType type = checkpoint.numbers().orElse(DType.FLOAT32);
    ComputePolicy expanded = new ComputePolicy(Form.EXPANDED, type, false);
    ByteSize eighth = new ByteSize(budget.total().bytes() / 8);
    ByteSize caches = eighth.compareTo(USUAL_CACHES) < 0 ? eighth : USUAL_CACHES;
    ComputePolicy quantised = new ComputePolicy(Form.QUANTISED, type, false);
    ByteSize weights = new ByteSize(expanded.weightBytes(checkpoint));
    return budget.holds(weights, caches, working)
            || weights.bytes() == quantised.weightBytes(checkpoint) // there is nothing quantised
        ? expanded
        : quantised;
  }

  /** The number format of expanded matrices, and of scales and biases. */
  public DType matrices() {
    return gpu ? activations : DType.FLOAT32;
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
    return form == Form.QUANTISED && tensor.shape().length == 2 && tensor.type().affineBits() > 0;
  }

  /** For people: {@code float32}, or {@code quantised, float32 scales, bfloat16 activations}. */
  public String label() {
    String matrices = matrices().name().toLowerCase(Locale.ROOT);
    String between = activations.name().toLowerCase(Locale.ROOT);
    String form = this.form == Form.EXPANDED ? matrices : "quantised, " + matrices + " scales";
    return matrices.equals(between) ? form : form + ", " + between + " activations";
  }

  /** Bytes that a checkpoint's weights will take in memory. */
  public long weightBytes(Checkpoint checkpoint) {
    long bytes = 0;
    for (Map.Entry<String, TensorInfo> tensor : checkpoint.tensors().entrySet()) {
      bytes += bytes(tensor.getKey(), tensor.getValue());
    }
    for (Decoder.Layer layer : checkpoint.decoder().layers()) {
      Attention attention = layer.attention();
      if (attention.headNorms()) { // which are held once for every head
        long more = attention.heads() + attention.kvHeads() - 2L;
        bytes += more * attention.headDim() * activations.bytes();
      }
    }
    return bytes;
  }

  private long bytes(String name, TensorInfo tensor) {
    if (keepsQuantised(tensor)) {
      long groups = tensor.elements() / tensor.type().groupSize();
      return tensor.elements() / Byte.SIZE * tensor.type().affineBits()
          + groups * 2 * matrices().bytes();
    }
    boolean ofMatrix = tensor.shape().length == 2 || name.endsWith(".bias");
    return tensor.elements() * (ofMatrix ? matrices() : activations).bytes();
  }

  /** Part of every tag: what makes other keys and values of the same files. */
  public String id() {
    return "%s|%s|%s".formatted(form, activations, gpu);
  }
}
