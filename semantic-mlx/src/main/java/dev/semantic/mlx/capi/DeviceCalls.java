package dev.semantic.mlx.capi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.OptionalLong;

/** What a device says of itself. */
public final class DeviceCalls {
  private static final MethodHandle NEW = Symbols.function("mlx_device_info_new", JAVA_LONG);
  private static final MethodHandle GET =
      Symbols.function("mlx_device_info_get", JAVA_INT, ADDRESS, JAVA_LONG);
  private static final MethodHandle HAS_KEY =
      Symbols.function("mlx_device_info_has_key", JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS);
  private static final MethodHandle IS_STRING =
      Symbols.function("mlx_device_info_is_string", JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS);
  private static final MethodHandle GET_SIZE =
      Symbols.function("mlx_device_info_get_size", JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS);
  private static final MethodHandle FREE =
      Symbols.function("mlx_device_info_free", JAVA_INT, JAVA_LONG);

  private DeviceCalls() {}

  /** A number that the device has under this name, if it has one; on the owner thread. */
  public static OptionalLong number(long device, String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = arena.allocate(JAVA_LONG);
      info.set(JAVA_LONG, 0, (long) NEW.invokeExact());
      try {
        MlxError.check((int) GET.invokeExact(info, device), "mlx_device_info_get");
        return number(arena, info.get(JAVA_LONG, 0), arena.allocateFrom(name));
      } finally {
        MlxError.check((int) FREE.invokeExact(info.get(JAVA_LONG, 0)), "mlx_device_info_free");
      }
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_device_info", t);
    }
  }

  private static OptionalLong number(Arena arena, long info, MemorySegment name) throws Throwable {
    MemorySegment answer = arena.allocate(JAVA_LONG);
    MlxError.check((int) HAS_KEY.invokeExact(answer, info, name), "mlx_device_info_has_key");
    if (answer.get(JAVA_BYTE, 0) == 0) {
      return OptionalLong.empty();
    }
    MlxError.check((int) IS_STRING.invokeExact(answer, info, name), "mlx_device_info_is_string");
    if (answer.get(JAVA_BYTE, 0) != 0) {
      return OptionalLong.empty();
    }
    MlxError.check((int) GET_SIZE.invokeExact(answer, info, name), "mlx_device_info_get_size");
    return OptionalLong.of(answer.get(JAVA_LONG, 0));
  }
}
