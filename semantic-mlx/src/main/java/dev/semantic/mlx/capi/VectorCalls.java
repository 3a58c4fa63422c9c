package dev.semantic.mlx.capi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** mlx_vector_array and mlx_string: lists and texts that cross the border. */
public final class VectorCalls {
  private static final MethodHandle VECTOR_ARRAY_NEW_DATA =
      Symbols.function("mlx_vector_array_new_data", JAVA_LONG, ADDRESS, JAVA_LONG);
  private static final MethodHandle VECTOR_ARRAY_FREE =
      Symbols.function("mlx_vector_array_free", JAVA_INT, JAVA_LONG);
  private static final MethodHandle STRING_DATA =
      Symbols.function("mlx_string_data", ADDRESS, JAVA_LONG);
  private static final MethodHandle STRING_FREE =
      Symbols.function("mlx_string_free", JAVA_INT, JAVA_LONG);

  private VectorCalls() {}

  /** {@code mlx_vector_array mlx_vector_array_new_data(const mlx_array* data, size_t size)}. */
  public static long vectorArrayNewData(MemorySegment data, long size) {
    long handle;
    try {
      handle = (long) VECTOR_ARRAY_NEW_DATA.invokeExact(data, size);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_vector_array_new_data", t);
    }
    return MlxError.made(handle, "mlx_vector_array_new_data");
  }

  /** {@code int mlx_vector_array_free(mlx_vector_array vec)}. */
  public static void vectorArrayFree(long vector) {
    int status;
    try {
      status = (int) VECTOR_ARRAY_FREE.invokeExact(vector);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_vector_array_free", t);
    }
    MlxError.check(status, "mlx_vector_array_free");
  }

  /** {@code const char* mlx_string_data(mlx_string str)}. */
  public static MemorySegment stringData(long text) {
    MemorySegment value;
    try {
      value = (MemorySegment) STRING_DATA.invokeExact(text);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_string_data", t);
    }
    MlxError.check("mlx_string_data");
    return value;
  }

  /** {@code int mlx_string_free(mlx_string str)}. */
  public static void stringFree(long text) {
    int status;
    try {
      status = (int) STRING_FREE.invokeExact(text);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_string_free", t);
    }
    MlxError.check(status, "mlx_string_free");
  }
}
