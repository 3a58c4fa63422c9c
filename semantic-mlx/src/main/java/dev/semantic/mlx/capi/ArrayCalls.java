package dev.semantic.mlx.capi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** mlx_array: made, asked, freed. */
public final class ArrayCalls {
  private static final MethodHandle NEW_FLOAT32 =
      Symbols.function("mlx_array_new_float32", JAVA_LONG, JAVA_FLOAT);
  private static final MethodHandle NEW_DATA =
      Symbols.function("mlx_array_new_data", JAVA_LONG, ADDRESS, ADDRESS, JAVA_INT, JAVA_INT);
  private static final MethodHandle FREE = Symbols.function("mlx_array_free", JAVA_INT, JAVA_LONG);
  private static final MethodHandle NDIM = Symbols.function("mlx_array_ndim", JAVA_LONG, JAVA_LONG);
  private static final MethodHandle SHAPE = Symbols.function("mlx_array_shape", ADDRESS, JAVA_LONG);
  private static final MethodHandle SIZE = Symbols.function("mlx_array_size", JAVA_LONG, JAVA_LONG);
  private static final MethodHandle NBYTES =
      Symbols.function("mlx_array_nbytes", JAVA_LONG, JAVA_LONG);
  private static final MethodHandle DTYPE =
      Symbols.function("mlx_array_dtype", JAVA_INT, JAVA_LONG);
  private static final MethodHandle DATA_UINT8 =
      Symbols.function("mlx_array_data_uint8", ADDRESS, JAVA_LONG);
  private static final MethodHandle IS_ROW_CONTIGUOUS =
      Symbols.function("_mlx_array_is_row_contiguous", JAVA_INT, ADDRESS, JAVA_LONG);

  private ArrayCalls() {}

  /** {@code mlx_array mlx_array_new_float32(float val)}. */
  public static long newFloat32(float val) {
    long handle;
    try {
      handle = (long) NEW_FLOAT32.invokeExact(val);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_array_new_float32", t);
    }
    return MlxError.made(handle, "mlx_array_new_float32");
  }

  /**
   * {@code mlx_array mlx_array_new_data(const void* data, const int* shape, int dim, mlx_dtype
   * dtype)}.
   */
  public static long newData(MemorySegment data, MemorySegment shape, int dim, int dtype) {
    long handle;
    try {
      handle = (long) NEW_DATA.invokeExact(data, shape, dim, dtype);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_array_new_data", t);
    }
    return MlxError.made(handle, "mlx_array_new_data");
  }

  /** {@code int mlx_array_free(mlx_array arr)}. */
  public static void free(long array) {
    int status;
    try {
      status = (int) FREE.invokeExact(array);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_array_free", t);
    }
    MlxError.check(status, "mlx_array_free");
  }

  /** {@code size_t mlx_array_ndim(const mlx_array arr)}. */
  public static long ndim(long array) {
    long value;
    try {
      value = (long) NDIM.invokeExact(array);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_array_ndim", t);
    }
    MlxError.check("mlx_array_ndim");
    return value;
  }

  /** {@code const int* mlx_array_shape(const mlx_array arr)}. */
  public static MemorySegment shape(long array) {
    MemorySegment value;
    try {
      value = (MemorySegment) SHAPE.invokeExact(array);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_array_shape", t);
    }
    MlxError.check("mlx_array_shape");
    return value;
  }

  /** {@code size_t mlx_array_size(const mlx_array arr)}. */
  public static long size(long array) {
    long value;
    try {
      value = (long) SIZE.invokeExact(array);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_array_size", t);
    }
    MlxError.check("mlx_array_size");
    return value;
  }

  /** {@code size_t mlx_array_nbytes(const mlx_array arr)}. */
  public static long nbytes(long array) {
    long value;
    try {
      value = (long) NBYTES.invokeExact(array);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_array_nbytes", t);
    }
    MlxError.check("mlx_array_nbytes");
    return value;
  }

  /** {@code mlx_dtype mlx_array_dtype(const mlx_array arr)}. */
  public static int dtype(long array) {
    int value;
    try {
      value = (int) DTYPE.invokeExact(array);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_array_dtype", t);
    }
    MlxError.check("mlx_array_dtype");
    return value;
  }

  /** {@code const uint8_t* mlx_array_data_uint8(const mlx_array arr)}. */
  public static MemorySegment dataUint8(long array) {
    MemorySegment value;
    try {
      value = (MemorySegment) DATA_UINT8.invokeExact(array);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_array_data_uint8", t);
    }
    MlxError.check("mlx_array_data_uint8");
    return value;
  }

  /** {@code int _mlx_array_is_row_contiguous(bool* res, const mlx_array arr)}. */
  public static void isRowContiguous(MemorySegment res, long array) {
    int status;
    try {
      status = (int) IS_ROW_CONTIGUOUS.invokeExact(res, array);
    } catch (Throwable t) {
      throw Symbols.unexpected("_mlx_array_is_row_contiguous", t);
    }
    MlxError.check(status, "_mlx_array_is_row_contiguous");
  }
}
