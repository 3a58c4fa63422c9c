package dev.semantic.mlx.capi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Fused operations: mlx-c fast.h. */
public final class FastCalls {
  private static final MethodHandle RMS_NORM =
      Symbols.function(
          "mlx_fast_rms_norm", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_FLOAT, JAVA_LONG);
  private static final MethodHandle ROPE =
      Symbols.function(
          "mlx_fast_rope",
          JAVA_INT,
          ADDRESS,
          JAVA_LONG,
          JAVA_INT,
          JAVA_BOOLEAN,
          JAVA_LONG,
          JAVA_FLOAT,
          JAVA_INT,
          JAVA_LONG,
          JAVA_LONG);
  private static final MethodHandle ROPE_DYNAMIC =
      Symbols.function(
          "mlx_fast_rope_dynamic",
          JAVA_INT,
          ADDRESS,
          JAVA_LONG,
          JAVA_INT,
          JAVA_BOOLEAN,
          JAVA_LONG,
          JAVA_FLOAT,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG);
  private static final MethodHandle SCALED_DOT_PRODUCT_ATTENTION =
      Symbols.function(
          "mlx_fast_scaled_dot_product_attention",
          JAVA_INT,
          ADDRESS,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_FLOAT,
          ADDRESS,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_BOOLEAN,
          JAVA_LONG);

  private FastCalls() {}

  /**
   * {@code int mlx_fast_rms_norm(mlx_array* res, const mlx_array x, const mlx_array weight, float
   * eps, const mlx_stream s)}.
   */
  public static void rmsNorm(MemorySegment res, long x, long weight, float eps, long stream) {
    int status;
    try {
      status = (int) RMS_NORM.invokeExact(res, x, weight, eps, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_fast_rms_norm", t);
    }
    MlxError.check(status, "mlx_fast_rms_norm");
  }

  /**
   * {@code int mlx_fast_rope(mlx_array* res, const mlx_array x, int dims, bool traditional,
   * mlx_optional_float base, float scale, int offset, const mlx_array freqs, const mlx_stream s)}.
   */
  public static void rope(
      MemorySegment res,
      long x,
      int dims,
      boolean traditional,
      long base,
      float scale,
      int offset,
      long freqs,
      long stream) {
    int status;
    try {
      status =
          (int) ROPE.invokeExact(res, x, dims, traditional, base, scale, offset, freqs, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_fast_rope", t);
    }
    MlxError.check(status, "mlx_fast_rope");
  }

  /**
   * {@code int mlx_fast_rope_dynamic(mlx_array* res, const mlx_array x, int dims, bool traditional,
   * mlx_optional_float base, float scale, const mlx_array offset, const mlx_array freqs, const
   * mlx_stream s)}.
   */
  public static void ropeDynamic(
      MemorySegment res,
      long x,
      int dims,
      boolean traditional,
      long base,
      float scale,
      long offset,
      long freqs,
      long stream) {
    int status;
    try {
      status =
          (int)
              ROPE_DYNAMIC.invokeExact(
                  res, x, dims, traditional, base, scale, offset, freqs, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_fast_rope_dynamic", t);
    }
    MlxError.check(status, "mlx_fast_rope_dynamic");
  }

  /**
   * {@code int mlx_fast_scaled_dot_product_attention(mlx_array* res, const mlx_array queries, const
   * mlx_array keys, const mlx_array values, float scale, const char* mask_mode, const mlx_array
   * mask_arr, const mlx_array sinks, bool force_fused, const mlx_stream s)}.
   */
  public static void scaledDotProductAttention(
      MemorySegment res,
      long queries,
      long keys,
      long values,
      float scale,
      MemorySegment maskMode,
      long maskArr,
      long sinks,
      boolean forceFused,
      long stream) {
    int status;
    try {
      status =
          (int)
              SCALED_DOT_PRODUCT_ATTENTION.invokeExact(
                  res, queries, keys, values, scale, maskMode, maskArr, sinks, forceFused, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_fast_scaled_dot_product_attention", t);
    }
    MlxError.check(status, "mlx_fast_scaled_dot_product_attention");
  }
}
