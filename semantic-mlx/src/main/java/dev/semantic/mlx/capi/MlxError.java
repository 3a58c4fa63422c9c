package dev.semantic.mlx.capi;

import static java.lang.foreign.ValueLayout.ADDRESS;

import dev.semantic.mlx.MlxException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * MLX's errors as exceptions. mlx-c reports them to a handler on the calling thread and then
 * returns a status or an empty value.
 */
final class MlxError {
  /** {@code ... at /build/path/file.cpp:123}: of no use to anyone but MLX's builders. */
  private static final Pattern BUILD_PATH =
      Pattern.compile("\\s+at (?:(?! at ).)*\\.\\w+:\\d+\\s*$");

  private static final int LONGEST = 16 * 1024;

  private static final ThreadLocal<@Nullable String> PENDING = new ThreadLocal<>();

  /** Spares the look into the thread local, which would cost more than a short native call. */
  private static volatile boolean anyPending;

  private MlxError() {}

  @SuppressWarnings("restricted")
  static void install() {
    try {
      MethodHandle heard =
          MethodHandles.lookup()
              .findStatic(
                  MlxError.class,
                  "heard",
                  MethodType.methodType(void.class, MemorySegment.class, MemorySegment.class));
      MemorySegment handler =
          Linker.nativeLinker()
              .upcallStub(heard, FunctionDescriptor.ofVoid(ADDRESS, ADDRESS), Arena.global());
      MethodHandle set = Symbols.procedure("mlx_set_error_handler", ADDRESS, ADDRESS, ADDRESS);
      set.invokeExact(handler, MemorySegment.NULL, MemorySegment.NULL);
    } catch (MlxException | IllegalCallerException e) {
      throw e;
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_set_error_handler", t);
    }
  }

  /** Called by mlx-c. An exception that left it would end the JVM. */
  @SuppressWarnings({"restricted", "UnusedMethod", "UnusedVariable"})
  private static void heard(MemorySegment message, MemorySegment data) {
    String text;
    try {
      text = withoutBuildPath(message.reinterpret(LONGEST).getString(0));
    } catch (Throwable t) {
      text = "MLX reported an error whose text cannot be read";
    }
    try {
      PENDING.set(text);
      anyPending = true;
    } catch (Throwable t) {
      // Not even memory for the text: the status that follows still says that the call failed.
      anyPending = true;
    }
  }

  static String withoutBuildPath(String text) {
    return BUILD_PATH.matcher(text).replaceFirst("");
  }

  /** For functions that return a status. */
  static void check(int status, String function) {
    if (status != 0) {
      String text = take();
      throw new MlxException(
          function + ": " + (text == null ? "failed with status " + status : text));
    }
  }

  /** For functions that return a value. */
  static void check(String function) {
    if (anyPending) {
      String text = take();
      if (text != null) {
        throw new MlxException(function + ": " + text);
      }
    }
  }

  /** For functions that return a new object: an empty one means failure. */
  static long made(long handle, String function) {
    if (handle == 0) {
      String text = take();
      throw new MlxException(function + ": " + (text == null ? "returned nothing" : text));
    }
    return handle;
  }

  private static @Nullable String take() {
    String text = PENDING.get();
    PENDING.remove();
    anyPending = false;
    return text;
  }
}
