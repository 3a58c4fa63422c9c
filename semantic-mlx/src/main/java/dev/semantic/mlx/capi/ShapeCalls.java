package dev.semantic.mlx.capi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Shapes, parts and number formats: mlx-c ops.h, second part. */
public final class ShapeCalls {
  private static final MethodHandle RESHAPE =
      Symbols.function("mlx_reshape", JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle TRANSPOSE_AXES =
      Symbols.function(
          "mlx_transpose_axes", JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle EXPAND_DIMS =
      Symbols.function("mlx_expand_dims", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_LONG);
  private static final MethodHandle SLICE =
      Symbols.function(
          "mlx_slice",
          JAVA_INT,
          ADDRESS,
          JAVA_LONG,
          ADDRESS,
          JAVA_LONG,
          ADDRESS,
          JAVA_LONG,
          ADDRESS,
          JAVA_LONG,
          JAVA_LONG);
  private static final MethodHandle SLICE_UPDATE =
      Symbols.function(
          "mlx_slice_update",
          JAVA_INT,
          ADDRESS,
          JAVA_LONG,
          JAVA_LONG,
          ADDRESS,
          JAVA_LONG,
          ADDRESS,
          JAVA_LONG,
          ADDRESS,
          JAVA_LONG,
          JAVA_LONG);
  private static final MethodHandle CONCATENATE_AXIS =
      Symbols.function("mlx_concatenate_axis", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_LONG);
  private static final MethodHandle TAKE_AXIS =
      Symbols.function(
          "mlx_take_axis", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG);
  private static final MethodHandle ASTYPE =
      Symbols.function("mlx_astype", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_LONG);
  private static final MethodHandle CONTIGUOUS =
      Symbols.function("mlx_contiguous", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_BOOLEAN, JAVA_LONG);
  private static final MethodHandle ZEROS =
      Symbols.function("mlx_zeros", JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_LONG);
  private static final MethodHandle ARANGE =
      Symbols.function(
          "mlx_arange",
          JAVA_INT,
          ADDRESS,
          JAVA_DOUBLE,
          JAVA_DOUBLE,
          JAVA_DOUBLE,
          JAVA_INT,
          JAVA_LONG);

  private ShapeCalls() {}

  /**
   * {@code int mlx_reshape(mlx_array* res, const mlx_array a, const int* shape, size_t shape_num,
   * const mlx_stream s)}.
   */
  public static void reshape(
      MemorySegment res, long a, MemorySegment shape, long shapeNum, long stream) {
    int status;
    try {
      status = (int) RESHAPE.invokeExact(res, a, shape, shapeNum, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_reshape", t);
    }
    MlxError.check(status, "mlx_reshape");
  }

  /**
   * {@code int mlx_transpose_axes(mlx_array* res, const mlx_array a, const int* axes, size_t
   * axes_num, const mlx_stream s)}.
   */
  public static void transposeAxes(
      MemorySegment res, long a, MemorySegment axes, long axesNum, long stream) {
    int status;
    try {
      status = (int) TRANSPOSE_AXES.invokeExact(res, a, axes, axesNum, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_transpose_axes", t);
    }
    MlxError.check(status, "mlx_transpose_axes");
  }

  /**
   * {@code int mlx_expand_dims(mlx_array* res, const mlx_array a, int axis, const mlx_stream s)}.
   */
  public static void expandDims(MemorySegment res, long a, int axis, long stream) {
    int status;
    try {
      status = (int) EXPAND_DIMS.invokeExact(res, a, axis, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_expand_dims", t);
    }
    MlxError.check(status, "mlx_expand_dims");
  }

  /**
   * {@code int mlx_slice(mlx_array* res, const mlx_array a, const int* start, size_t start_num,
   * const int* stop, size_t stop_num, const int* strides, size_t strides_num, const mlx_stream s)}.
   */
  public static void slice(
      MemorySegment res,
      long a,
      MemorySegment start,
      long startNum,
      MemorySegment stop,
      long stopNum,
      MemorySegment strides,
      long stridesNum,
      long stream) {
    int status;
    try {
      status =
          (int)
              SLICE.invokeExact(
                  res, a, start, startNum, stop, stopNum, strides, stridesNum, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_slice", t);
    }
    MlxError.check(status, "mlx_slice");
  }

  /**
   * {@code int mlx_slice_update(mlx_array* res, const mlx_array src, const mlx_array update, const
   * int* start, size_t start_num, const int* stop, size_t stop_num, const int* strides, size_t
   * strides_num, const mlx_stream s)}.
   */
  public static void sliceUpdate(
      MemorySegment res,
      long src,
      long update,
      MemorySegment start,
      long startNum,
      MemorySegment stop,
      long stopNum,
      MemorySegment strides,
      long stridesNum,
      long stream) {
    int status;
    try {
      status =
          (int)
              SLICE_UPDATE.invokeExact(
                  res, src, update, start, startNum, stop, stopNum, strides, stridesNum, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_slice_update", t);
    }
    MlxError.check(status, "mlx_slice_update");
  }

  /**
   * {@code int mlx_concatenate_axis(mlx_array* res, const mlx_vector_array arrays, int axis, const
   * mlx_stream s)}.
   */
  public static void concatenateAxis(MemorySegment res, long arrays, int axis, long stream) {
    int status;
    try {
      status = (int) CONCATENATE_AXIS.invokeExact(res, arrays, axis, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_concatenate_axis", t);
    }
    MlxError.check(status, "mlx_concatenate_axis");
  }

  /**
   * {@code int mlx_take_axis(mlx_array* res, const mlx_array a, const mlx_array indices, int axis,
   * const mlx_stream s)}.
   */
  public static void takeAxis(MemorySegment res, long a, long indices, int axis, long stream) {
    int status;
    try {
      status = (int) TAKE_AXIS.invokeExact(res, a, indices, axis, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_take_axis", t);
    }
    MlxError.check(status, "mlx_take_axis");
  }

  /**
   * {@code int mlx_astype(mlx_array* res, const mlx_array a, mlx_dtype dtype, const mlx_stream s)}.
   */
  public static void astype(MemorySegment res, long a, int dtype, long stream) {
    int status;
    try {
      status = (int) ASTYPE.invokeExact(res, a, dtype, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_astype", t);
    }
    MlxError.check(status, "mlx_astype");
  }

  /**
   * {@code int mlx_contiguous(mlx_array* res, const mlx_array a, bool allow_col_major, const
   * mlx_stream s)}.
   */
  public static void contiguous(MemorySegment res, long a, boolean allowColMajor, long stream) {
    int status;
    try {
      status = (int) CONTIGUOUS.invokeExact(res, a, allowColMajor, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_contiguous", t);
    }
    MlxError.check(status, "mlx_contiguous");
  }

  /**
   * {@code int mlx_zeros(mlx_array* res, const int* shape, size_t shape_num, mlx_dtype dtype, const
   * mlx_stream s)}.
   */
  public static void zeros(
      MemorySegment res, MemorySegment shape, long shapeNum, int dtype, long stream) {
    int status;
    try {
      status = (int) ZEROS.invokeExact(res, shape, shapeNum, dtype, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_zeros", t);
    }
    MlxError.check(status, "mlx_zeros");
  }

  /**
   * {@code int mlx_arange(mlx_array* res, double start, double stop, double step, mlx_dtype dtype,
   * const mlx_stream s)}.
   */
  public static void arange(
      MemorySegment res, double start, double stop, double step, int dtype, long stream) {
    int status;
    try {
      status = (int) ARANGE.invokeExact(res, start, stop, step, dtype, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_arange", t);
    }
    MlxError.check(status, "mlx_arange");
  }
}
