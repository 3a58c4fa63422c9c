package dev.semantic.mlx.capi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** What a device says of itself. */
public final class DeviceCalls {
  private static final MethodHandle INFO_GET =
      Symbols.function("mlx_device_info_get", JAVA_INT, ADDRESS, JAVA_LONG);
  private static final MethodHandle INFO_HAS_KEY =
      Symbols.function("mlx_device_info_has_key", JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS);
  private static final MethodHandle INFO_IS_STRING =
      Symbols.function("mlx_device_info_is_string", JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS);
  private static final MethodHandle INFO_GET_SIZE =
      Symbols.function("mlx_device_info_get_size", JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS);
  private static final MethodHandle INFO_FREE =
      Symbols.function("mlx_device_info_free", JAVA_INT, JAVA_LONG);

  private DeviceCalls() {}

  /** {@code int mlx_device_info_get(mlx_device_info* info, mlx_device dev)}. */
  public static void infoGet(MemorySegment info, long dev) {
    int status;
    try {
      status = (int) INFO_GET.invokeExact(info, dev);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_device_info_get", t);
    }
    MlxError.check(status, "mlx_device_info_get");
  }

  /** {@code int mlx_device_info_has_key(bool* exists, mlx_device_info info, const char* key)}. */
  public static void infoHasKey(MemorySegment exists, long info, MemorySegment key) {
    int status;
    try {
      status = (int) INFO_HAS_KEY.invokeExact(exists, info, key);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_device_info_has_key", t);
    }
    MlxError.check(status, "mlx_device_info_has_key");
  }

  /**
   * {@code int mlx_device_info_is_string(bool* is_string, mlx_device_info info, const char* key)}.
   */
  public static void infoIsString(MemorySegment isString, long info, MemorySegment key) {
    int status;
    try {
      status = (int) INFO_IS_STRING.invokeExact(isString, info, key);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_device_info_is_string", t);
    }
    MlxError.check(status, "mlx_device_info_is_string");
  }

  /** {@code int mlx_device_info_get_size(size_t* value, mlx_device_info info, const char* key)}. */
  public static void infoGetSize(MemorySegment value, long info, MemorySegment key) {
    int status;
    try {
      status = (int) INFO_GET_SIZE.invokeExact(value, info, key);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_device_info_get_size", t);
    }
    MlxError.check(status, "mlx_device_info_get_size");
  }

  /** {@code int mlx_device_info_free(mlx_device_info info)}. */
  public static void infoFree(long info) {
    int status;
    try {
      status = (int) INFO_FREE.invokeExact(info);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_device_info_free", t);
    }
    MlxError.check(status, "mlx_device_info_free");
  }
}
