package dev.semantic.mlx.capi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
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

  private static final MethodHandle GATED_ACTIVATION =
      Symbols.function(
          "semantic_gated_activation", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_LONG);
  private static final MethodHandle RMS_NORM =
      Symbols.function(
          "semantic_rms_norm", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_FLOAT, JAVA_LONG);
  private static final MethodHandle ROTARY =
      Symbols.function(
          "semantic_rotary", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle ATTENTION =
      Symbols.function(
          "semantic_attention",
          JAVA_INT,
          ADDRESS,
          JAVA_LONG,
          JAVA_LONG,
          ADDRESS,
          ADDRESS,
          JAVA_LONG,
          JAVA_INT,
          JAVA_FLOAT,
          JAVA_FLOAT,
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

  /**
   * {@code int semantic_gated_activation(mlx_array* res, const mlx_array both, int activation,
   * const mlx_stream s)}.
   */
  public static void gatedActivation(MemorySegment res, long both, int activation, long stream) {
    int status;
    try {
      status = (int) GATED_ACTIVATION.invokeExact(res, both, activation, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("semantic_gated_activation", t);
    }
    MlxError.check(status, "semantic_gated_activation");
  }

  /**
   * {@code int semantic_rms_norm(mlx_array* res, const mlx_array x, const mlx_array weights, float
   * eps, const mlx_stream s)}.
   */
  public static void rmsNorm(MemorySegment res, long x, long weights, float eps, long stream) {
    int status;
    try {
      status = (int) RMS_NORM.invokeExact(res, x, weights, eps, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("semantic_rms_norm", t);
    }
    MlxError.check(status, "semantic_rms_norm");
  }

  /**
   * {@code int semantic_rotary(mlx_array* res, const mlx_array x, const mlx_array cosines, const
   * mlx_array sines, const mlx_stream s)}.
   */
  public static void rotary(MemorySegment res, long x, long cosines, long sines, long stream) {
    int status;
    try {
      status = (int) ROTARY.invokeExact(res, x, cosines, sines, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("semantic_rotary", t);
    }
    MlxError.check(status, "semantic_rotary");
  }

  /**
   * {@code int semantic_attention(mlx_array* res, const mlx_array queries, const mlx_vector_array
   * pieces, const int* counts, const int* starts, size_t sequences, int window, float scale, float
   * softcap, const mlx_stream s)}.
   */
  public static void attention(
      MemorySegment res,
      long queries,
      long pieces,
      MemorySegment counts,
      MemorySegment starts,
      long sequences,
      int window,
      float scale,
      float softcap,
      long stream) {
    int status;
    try {
      status =
          (int)
              ATTENTION.invokeExact(
                  res, queries, pieces, counts, starts, sequences, window, scale, softcap, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("semantic_attention", t);
    }
    MlxError.check(status, "semantic_attention");
  }
}
