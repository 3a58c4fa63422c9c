package dev.semantic.mlx.capi.os;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.semantic.mlx.capi.Symbols;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code int madvise(void *addr, size_t length, int advice)}: hints, which may do nothing. */
final class Madvise {
  static final boolean LINUX = isSystem("linux");

  private static final Logger LOG = LoggerFactory.getLogger(Madvise.class);
  private static final @Nullable MethodHandle MADVISE = find();

  private Madvise() {}

  private static boolean isSystem(String name) {
    return System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains(name);
  }

  @SuppressWarnings("restricted")
  private static @Nullable MethodHandle find() {
    if (!LINUX && !isSystem("mac")) {
      return null; // the numbers of the hints are theirs
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

  /**
   * Gives a hint.
   *
   * @param memory from the beginning of a page on
   */
  static void give(MemorySegment memory, int advice) {
    if (MADVISE == null) {
      return;
    }
    try {
      int status = (int) MADVISE.invokeExact(memory, memory.byteSize(), advice);
      LOG.trace("madvise({}): {}", advice, status); // a kernel that cannot do it says no
    } catch (IllegalStateException e) {
      throw e; // the memory is somebody else's by now
    } catch (Throwable t) {
      throw Symbols.unexpected("madvise", t);
    }
  }
}
