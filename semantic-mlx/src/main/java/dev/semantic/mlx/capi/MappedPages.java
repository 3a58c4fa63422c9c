package dev.semantic.mlx.capi;

import java.lang.foreign.MemorySegment;

/**
 * Pages of a mapped file, which count as the process's own memory once they have been looked at.
 */
public final class MappedPages {
  private static final int MADV_DONTNEED = 4; // of Linux

  private MappedPages() {}

  /**
   * Says that a part of a file that is mapped read-only was read and is not needed again. It stays
   * in the system's page cache, and whoever looks again finds it.
   */
  public static void release(MemorySegment mapped) {
    long first = Math.ceilDiv(mapped.address(), Madvise.PAGE) * Madvise.PAGE;
    long last = (mapped.address() + mapped.byteSize()) / Madvise.PAGE * Madvise.PAGE;
    Madvise.call(first, last - first, MADV_DONTNEED);
  }
}
