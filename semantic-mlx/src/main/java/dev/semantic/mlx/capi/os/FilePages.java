package dev.semantic.mlx.capi.os;

import java.lang.foreign.MemorySegment;

/**
 * Hints about a file that is mapped into memory. They change nothing of what is read; at worst they
 * do nothing. Any thread.
 */
public final class FilePages {
  private static final int MADV_WILLNEED = 3;
  private static final int MADV_DONTNEED = 4;

  /** As large as pages of files are anywhere we run; their beginnings are those of smaller ones. */
  private static final long PAGE = 16 << 10;

  private FilePages() {}

  /**
   * A part will be read soon: the kernel begins to fetch what is not in its page cache.
   *
   * @param file all of it, as it was mapped
   * @throws IllegalStateException if it is mapped no more
   */
  public static void announce(MemorySegment file, long from, long count) {
    give(file, from, count, MADV_WILLNEED);
  }

  /**
   * A part has been read: it stays in the page cache, and this process is charged for it no more.
   *
   * @param file all of it, as it was mapped for reading only
   * @throws IllegalStateException if it is mapped no more
   */
  public static void letGo(MemorySegment file, long from, long count) {
    give(file, from, count, MADV_DONTNEED);
  }

  private static void give(MemorySegment file, long from, long count, int advice) {
    if (count > 0) {
      long first = from / PAGE * PAGE;
      Madvise.give(file.asSlice(first, from + count - first), advice);
    }
  }
}
