package dev.semantic.mlx.capi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Evaluation, streams, devices, memory, version. */
public final class RuntimeCalls {
  private static final MethodHandle EVAL = Symbols.function("mlx_eval", JAVA_INT, JAVA_LONG);
  private static final MethodHandle SYNCHRONIZE =
      Symbols.function("mlx_synchronize", JAVA_INT, JAVA_LONG);
  private static final MethodHandle DEFAULT_CPU_STREAM_NEW =
      Symbols.function("mlx_default_cpu_stream_new", JAVA_LONG);
  private static final MethodHandle DEFAULT_GPU_STREAM_NEW =
      Symbols.function("mlx_default_gpu_stream_new", JAVA_LONG);
  private static final MethodHandle DEVICE_NEW_TYPE =
      Symbols.function("mlx_device_new_type", JAVA_LONG, JAVA_INT, JAVA_INT);
  private static final MethodHandle DEVICE_FREE =
      Symbols.function("mlx_device_free", JAVA_INT, JAVA_LONG);
  private static final MethodHandle DEVICE_IS_AVAILABLE =
      Symbols.function("mlx_device_is_available", JAVA_INT, ADDRESS, JAVA_LONG);
  private static final MethodHandle SET_DEFAULT_DEVICE =
      Symbols.function("mlx_set_default_device", JAVA_INT, JAVA_LONG);
  private static final MethodHandle GET_ACTIVE_MEMORY =
      Symbols.function("mlx_get_active_memory", JAVA_INT, ADDRESS);
  private static final MethodHandle GET_CACHE_MEMORY =
      Symbols.function("mlx_get_cache_memory", JAVA_INT, ADDRESS);
  private static final MethodHandle GET_PEAK_MEMORY =
      Symbols.function("mlx_get_peak_memory", JAVA_INT, ADDRESS);
  private static final MethodHandle RESET_PEAK_MEMORY =
      Symbols.function("mlx_reset_peak_memory", JAVA_INT);
  private static final MethodHandle CLEAR_CACHE = Symbols.function("mlx_clear_cache", JAVA_INT);
  private static final MethodHandle VERSION = Symbols.function("mlx_version", JAVA_INT, ADDRESS);

  private RuntimeCalls() {}

  /** {@code int mlx_eval(const mlx_vector_array outputs)}. */
  public static void eval(long outputs) {
    int status;
    try {
      status = (int) EVAL.invokeExact(outputs);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_eval", t);
    }
    MlxError.check(status, "mlx_eval");
  }

  /** {@code int mlx_synchronize(mlx_stream stream)}. */
  public static void synchronize(long stream) {
    int status;
    try {
      status = (int) SYNCHRONIZE.invokeExact(stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_synchronize", t);
    }
    MlxError.check(status, "mlx_synchronize");
  }

  /** {@code mlx_stream mlx_default_cpu_stream_new(void)}. */
  public static long defaultCpuStreamNew() {
    long handle;
    try {
      handle = (long) DEFAULT_CPU_STREAM_NEW.invokeExact();
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_default_cpu_stream_new", t);
    }
    return MlxError.made(handle, "mlx_default_cpu_stream_new");
  }

  /** {@code mlx_stream mlx_default_gpu_stream_new(void)}. */
  public static long defaultGpuStreamNew() {
    long handle;
    try {
      handle = (long) DEFAULT_GPU_STREAM_NEW.invokeExact();
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_default_gpu_stream_new", t);
    }
    return MlxError.made(handle, "mlx_default_gpu_stream_new");
  }

  /** {@code mlx_device mlx_device_new_type(mlx_device_type type, int index)}. */
  public static long deviceNewType(int type, int index) {
    long handle;
    try {
      handle = (long) DEVICE_NEW_TYPE.invokeExact(type, index);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_device_new_type", t);
    }
    return MlxError.made(handle, "mlx_device_new_type");
  }

  /** {@code int mlx_device_free(mlx_device dev)}. */
  public static void deviceFree(long dev) {
    int status;
    try {
      status = (int) DEVICE_FREE.invokeExact(dev);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_device_free", t);
    }
    MlxError.check(status, "mlx_device_free");
  }

  /** {@code int mlx_device_is_available(bool* avail, mlx_device dev)}. */
  public static void deviceIsAvailable(MemorySegment avail, long dev) {
    int status;
    try {
      status = (int) DEVICE_IS_AVAILABLE.invokeExact(avail, dev);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_device_is_available", t);
    }
    MlxError.check(status, "mlx_device_is_available");
  }

  /** {@code int mlx_set_default_device(mlx_device dev)}. */
  public static void setDefaultDevice(long dev) {
    int status;
    try {
      status = (int) SET_DEFAULT_DEVICE.invokeExact(dev);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_set_default_device", t);
    }
    MlxError.check(status, "mlx_set_default_device");
  }

  /** {@code int mlx_get_active_memory(size_t* res)}. */
  public static void getActiveMemory(MemorySegment res) {
    int status;
    try {
      status = (int) GET_ACTIVE_MEMORY.invokeExact(res);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_get_active_memory", t);
    }
    MlxError.check(status, "mlx_get_active_memory");
  }

  /** {@code int mlx_get_cache_memory(size_t* res)}. */
  public static void getCacheMemory(MemorySegment res) {
    int status;
    try {
      status = (int) GET_CACHE_MEMORY.invokeExact(res);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_get_cache_memory", t);
    }
    MlxError.check(status, "mlx_get_cache_memory");
  }

  /** {@code int mlx_get_peak_memory(size_t* res)}. */
  public static void getPeakMemory(MemorySegment res) {
    int status;
    try {
      status = (int) GET_PEAK_MEMORY.invokeExact(res);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_get_peak_memory", t);
    }
    MlxError.check(status, "mlx_get_peak_memory");
  }

  /** {@code int mlx_reset_peak_memory(void)}. */
  public static void resetPeakMemory() {
    int status;
    try {
      status = (int) RESET_PEAK_MEMORY.invokeExact();
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_reset_peak_memory", t);
    }
    MlxError.check(status, "mlx_reset_peak_memory");
  }

  /** {@code int mlx_clear_cache(void)}. */
  public static void clearCache() {
    int status;
    try {
      status = (int) CLEAR_CACHE.invokeExact();
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_clear_cache", t);
    }
    MlxError.check(status, "mlx_clear_cache");
  }

  /** {@code int mlx_version(mlx_string* str_)}. */
  public static void version(MemorySegment text) {
    int status;
    try {
      status = (int) VERSION.invokeExact(text);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_version", t);
    }
    MlxError.check(status, "mlx_version");
  }
}
