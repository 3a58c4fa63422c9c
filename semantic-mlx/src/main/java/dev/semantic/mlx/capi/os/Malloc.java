package dev.semantic.mlx.capi.os;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.semantic.mlx.capi.Symbols;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The C library's allocator, beneath that of MLX. */
public final class Malloc {
  private static final Logger LOG = LoggerFactory.getLogger(Malloc.class);
  private static final @Nullable MethodHandle TRIM = find();

  private Malloc() {}

  @SuppressWarnings("restricted")
  private static @Nullable MethodHandle find() {
    Linker linker = Linker.nativeLinker();
    return linker
        .defaultLookup()
        .find("malloc_trim")
        .map(at -> linker.downcallHandle(at, FunctionDescriptor.of(JAVA_INT, JAVA_LONG)))
        .orElse(null);
  }

  /**
   * Hands what was freed back to the kernel. glibc keeps the gaps between what is still in use:
   * after the unload of a model that is as much as half of its weights, for which the process is
   * charged. Other allocators do it by themselves; here nothing happens then. Any thread; takes
   * some 50 ms for a gigabyte.
   */
  public static void trim() {
    if (TRIM == null) {
      return;
    }
    try {
      int released = (int) TRIM.invokeExact(0L);
      LOG.debug("malloc_trim released {}", released == 1 ? "memory" : "nothing");
    } catch (Throwable t) {
      throw Symbols.unexpected("malloc_trim", t);
    }
  }
}
