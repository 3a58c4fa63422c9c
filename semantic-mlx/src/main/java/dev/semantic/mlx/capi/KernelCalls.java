package dev.semantic.mlx.capi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Our own CPU kernels: semantic_kernels.h. Only where {@link Symbols#hasKernels}. */
public final class KernelCalls {
  private static final MethodHandle USE =
      Symbols.function("semantic_kernels_use", JAVA_INT, ADDRESS);
  private static final MethodHandle INSTRUCTION_SET =
      Symbols.function("semantic_kernels_instruction_set", ADDRESS);
  private static final MethodHandle THREADS =
      Symbols.function("semantic_kernels_threads", JAVA_INT, JAVA_INT);
  private static final MethodHandle QUANTIZED_MATMUL =
      Symbols.function(
          "semantic_quantized_matmul",
          JAVA_INT,
          ADDRESS,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_INT,
          JAVA_INT,
          JAVA_LONG);

  private KernelCalls() {}

  /** {@code int semantic_kernels_use(const char* instruction_set)}. */
  public static void use(MemorySegment instructionSet) {
    int status;
    try {
      status = (int) USE.invokeExact(instructionSet);
    } catch (Throwable t) {
      throw Symbols.unexpected("semantic_kernels_use", t);
    }
    MlxError.check(status, "semantic_kernels_use");
  }

  /** {@code const char* semantic_kernels_instruction_set(void)}. */
  public static MemorySegment instructionSet() {
    try {
      return (MemorySegment) INSTRUCTION_SET.invokeExact();
    } catch (Throwable t) {
      throw Symbols.unexpected("semantic_kernels_instruction_set", t);
    }
  }

  /** {@code int semantic_kernels_threads(int threads)}. */
  public static void threads(int threads) {
    int status;
    try {
      status = (int) THREADS.invokeExact(threads);
    } catch (Throwable t) {
      throw Symbols.unexpected("semantic_kernels_threads", t);
    }
    MlxError.check(status, "semantic_kernels_threads");
  }

  /**
   * {@code int semantic_quantized_matmul(mlx_array* res, const mlx_array x, const mlx_array w,
   * const mlx_array scales, const mlx_array biases, int group_size, int bits, const mlx_stream s)}.
   */
  public static void quantizedMatmul(
      MemorySegment res,
      long x,
      long w,
      long scales,
      long biases,
      int groupSize,
      int bits,
      long stream) {
    int status;
    try {
      status =
          (int) QUANTIZED_MATMUL.invokeExact(res, x, w, scales, biases, groupSize, bits, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("semantic_quantized_matmul", t);
    }
    MlxError.check(status, "semantic_quantized_matmul");
  }
}
