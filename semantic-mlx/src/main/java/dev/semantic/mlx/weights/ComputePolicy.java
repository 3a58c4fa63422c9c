package dev.semantic.mlx.weights;

import dev.semantic.mlx.array.DType;
import dev.semantic.model.KvPrecision;

/**
 * In which form a device computes best. MLX's CPU kernels are made for float32 (a matrix in any
 * other form takes 2 to 1,800 times as long), a GPU's for quantised weights and 16-bit numbers.
 */
public enum ComputePolicy {
  /** All weights expanded; operations that are one kernel elsewhere are spelt out. */
  EXPAND_TO_FLOAT32(DType.FLOAT32, KvPrecision.FLOAT32, false),

  /**
   * Weights stay quantised where MLX has the same integers; their scales and all else are rounded
   * to bfloat16, the format that GPUs compute with. Not yet run on a GPU.
   */
  KEEP_QUANTISED(DType.BFLOAT16, KvPrecision.BFLOAT16, true);

  private final DType computeType;
  private final KvPrecision kvPrecision;
  private final boolean onGpu;

  ComputePolicy(DType computeType, KvPrecision kvPrecision, boolean onGpu) {
    this.computeType = computeType;
    this.kvPrecision = kvPrecision;
    this.onGpu = onGpu;
  }

  /** The policy for a kind of device. */
  public static ComputePolicy forDevice(boolean gpu) {
    return gpu ? KEEP_QUANTISED : EXPAND_TO_FLOAT32;
  }

  /** The number format of activations, norms and expanded weights. */
  public DType computeType() {
    return computeType;
  }

  /** The number format of keys and values. */
  public KvPrecision kvPrecision() {
    return kvPrecision;
  }

  /** Whether MLX's fused operations are kernels of their own on this device. */
  public boolean fusedKernels() {
    return onGpu;
  }

  /** Whether a tensor stays as it is in the file. */
  public boolean keepsQuantised(TensorInfo tensor) {
    return onGpu && tensor.shape().length == 2 && tensor.type().affineBits() > 0;
  }

  /** Bytes that a checkpoint's weights will take in memory. */
  public long weightBytes(Checkpoint checkpoint) {
    return checkpoint.tensorNames().stream().map(checkpoint::info).mapToLong(this::bytes).sum();
  }

  private long bytes(TensorInfo tensor) {
    if (!keepsQuantised(tensor)) {
      return tensor.elements() * computeType.bytes();
    }
    long groups = tensor.elements() / AffineRows.GROUP;
    return tensor.elements() * tensor.type().affineBits() / 8 + groups * 2 * computeType.bytes();
  }
}
