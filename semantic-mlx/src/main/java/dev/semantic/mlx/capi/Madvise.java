package dev.semantic.mlx.capi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Linux' {@code madvise}: what the kernel should know of some memory. Elsewhere nothing happens.
 */
final class Madvise {
  static final long PAGE = 4096;

  private static final Logger LOG = LoggerFactory.getLogger(Madvise.class);
  private static final @Nullable MethodHandle MADVISE = find();

  private Madvise() {}

  @SuppressWarnings("restricted")
  private static @Nullable MethodHandle find() {
    if (!System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("linux")) {
      return null;
    }
    Linker linker = Linker.nativeLinker();
    return linker
        .defaultLookup()
        .find("madvise")
        .map(
            at ->
                linker.downcallHandle(
                    at, FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT)))
        .orElse(null);
  }

  /** A hint: a kernel that does not know it refuses, which is no harm. */
  static void call(long address, long bytes, int advice) {
    if (MADVISE == null || bytes <= 0) {
      return;
    }
    try {
      int status = (int) MADVISE.invokeExact(MemorySegment.ofAddress(address), bytes, advice);
      LOG.trace("madvise: {}", status);
    } catch (Throwable t) {
      throw Symbols.unexpected("madvise", t);
    }
  }
}
