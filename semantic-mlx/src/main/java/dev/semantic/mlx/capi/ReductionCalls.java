package dev.semantic.mlx.capi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Matrix products and reductions: mlx-c ops.h, third part. */
public final class ReductionCalls {
  private static final MethodHandle MATMUL =
      Symbols.function("mlx_matmul", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle ADDMM =
      Symbols.function(
          "mlx_addmm",
          JAVA_INT,
          ADDRESS,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_FLOAT,
          JAVA_FLOAT,
          JAVA_LONG);
  private static final MethodHandle QUANTIZED_MATMUL =
      Symbols.function(
          "mlx_quantized_matmul",
          JAVA_INT,
          ADDRESS,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_BOOLEAN,
          JAVA_LONG,
          JAVA_LONG,
          ADDRESS,
          JAVA_LONG);
  private static final MethodHandle DEQUANTIZE =
      Symbols.function(
          "mlx_dequantize",
          JAVA_INT,
          ADDRESS,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          ADDRESS,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG);
  private static final MethodHandle SOFTMAX_AXIS =
      Symbols.function(
          "mlx_softmax_axis", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_BOOLEAN, JAVA_LONG);

  private ReductionCalls() {}

  /**
   * {@code int mlx_matmul(mlx_array* res, const mlx_array a, const mlx_array b, const mlx_stream
   * s)}.
   */
  public static void matmul(MemorySegment res, long a, long b, long stream) {
    int status;
    try {
      status = (int) MATMUL.invokeExact(res, a, b, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_matmul", t);
    }
    MlxError.check(status, "mlx_matmul");
  }

  /**
   * {@code int mlx_addmm(mlx_array* res, const mlx_array c, const mlx_array a, const mlx_array b,
   * float alpha, float beta, const mlx_stream s)}.
   */
  public static void addmm(
      MemorySegment res, long c, long a, long b, float alpha, float beta, long stream) {
    int status;
    try {
      status = (int) ADDMM.invokeExact(res, c, a, b, alpha, beta, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_addmm", t);
    }
    MlxError.check(status, "mlx_addmm");
  }

  /**
   * {@code int mlx_quantized_matmul(mlx_array* res, const mlx_array x, const mlx_array w, const
   * mlx_array scales, const mlx_array biases, bool transpose, mlx_optional_int group_size,
   * mlx_optional_int bits, const char* mode, const mlx_stream s)}.
   */
  public static void quantizedMatmul(
      MemorySegment res,
      long x,
      long w,
      long scales,
      long biases,
      boolean transpose,
      long groupSize,
      long bits,
      MemorySegment mode,
      long stream) {
    int status;
    try {
      status =
          (int)
              QUANTIZED_MATMUL.invokeExact(
                  res, x, w, scales, biases, transpose, groupSize, bits, mode, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_quantized_matmul", t);
    }
    MlxError.check(status, "mlx_quantized_matmul");
  }

  /**
   * {@code int mlx_dequantize(mlx_array* res, const mlx_array w, const mlx_array scales, const
   * mlx_array biases, mlx_optional_int group_size, mlx_optional_int bits, const char* mode, const
   * mlx_array global_scale, mlx_optional_dtype dtype, const mlx_stream s)}.
   */
  public static void dequantize(
      MemorySegment res,
      long w,
      long scales,
      long biases,
      long groupSize,
      long bits,
      MemorySegment mode,
      long globalScale,
      long dtype,
      long stream) {
    int status;
    try {
      status =
          (int)
              DEQUANTIZE.invokeExact(
                  res, w, scales, biases, groupSize, bits, mode, globalScale, dtype, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_dequantize", t);
    }
    MlxError.check(status, "mlx_dequantize");
  }

  /**
   * {@code int mlx_softmax_axis(mlx_array* res, const mlx_array a, int axis, bool precise, const
   * mlx_stream s)}.
   */
  public static void softmaxAxis(
      MemorySegment res, long a, int axis, boolean precise, long stream) {
    int status;
    try {
      status = (int) SOFTMAX_AXIS.invokeExact(res, a, axis, precise, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_softmax_axis", t);
    }
    MlxError.check(status, "mlx_softmax_axis");
  }
}
