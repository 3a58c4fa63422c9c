package dev.semantic.mlx.capi.os;

import java.lang.foreign.MemorySegment;

/**
 * Memory in pages of 2 MiB, where the kernel has them: gigabytes in pages of 4 KiB take longer to
 * get and to give back than to fill.
 */
public final class HugePages {
  private static final int MADV_HUGEPAGE = 14; // of Linux
  private static final long PAGE = 4096;
  private static final long HUGE = 2 << 20;

  private HugePages() {}

  /** Asks for them for memory that is about to be filled; a hint, which may do nothing. */
  @SuppressWarnings("restricted")
  public static void adviseFor(MemorySegment memory) {
    if (!Madvise.LINUX || memory.byteSize() < 2 * HUGE) {
      return;
    }
    long first = Math.ceilDiv(memory.address(), PAGE) * PAGE;
    long last = (memory.address() + memory.byteSize()) / PAGE * PAGE;
    Madvise.give(MemorySegment.ofAddress(first).reinterpret(last - first), MADV_HUGEPAGE);
  }
}
