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
 * Memory in pages of 2 MiB, where the kernel has them: gigabytes in pages of 4 KiB take longer to
 * get and to give back than to fill.
 */
public final class HugePages {
  private static final Logger LOG = LoggerFactory.getLogger(HugePages.class);
  private static final int MADV_HUGEPAGE = 14; // of Linux
  private static final long PAGE = 4096;
  private static final long HUGE = 2 << 20;
  private static final @Nullable MethodHandle MADVISE = find();

  private HugePages() {}

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

  /** Asks for them for memory that is about to be filled; a hint, which may do nothing. */
  public static void adviseFor(MemorySegment memory) {
    if (MADVISE == null || memory.byteSize() < 2 * HUGE) {
      return;
    }
    long first = Math.ceilDiv(memory.address(), PAGE) * PAGE;
    long last = (memory.address() + memory.byteSize()) / PAGE * PAGE;
    try {
      int status =
          (int) MADVISE.invokeExact(MemorySegment.ofAddress(first), last - first, MADV_HUGEPAGE);
      LOG.trace("madvise: {}", status); // a kernel without huge pages refuses, which is no harm
    } catch (Throwable t) {
      throw Symbols.unexpected("madvise", t);
    }
  }
}
