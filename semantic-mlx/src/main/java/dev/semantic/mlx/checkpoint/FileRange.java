package dev.semantic.mlx.checkpoint;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Bytes of a model's file, one behind the other. Any thread. */
public final class FileRange {
  private static final Comparator<FileRange> IN_ORDER =
      Comparator.<FileRange, String>comparing(part -> part.file.path().toString())
          .thenComparingLong(part -> part.from);

  private final MappedFile file;
  private final long from;
  private final long bytes;

  FileRange(MappedFile file, long from, long bytes) {
    this.file = file;
    this.from = from;
    this.bytes = bytes;
  }

  /** How many. */
  public long bytes() {
    return bytes;
  }

  /** As they lie on disk: by file, and from its beginning. */
  public static Comparator<FileRange> inOrder() {
    return IN_ORDER;
  }

  /** Some of these bytes. */
  public FileRange slice(long first, long count) {
    return new FileRange(file, from + first, count);
  }

  /** The same bytes in as few parts as there can be, in order. */
  public static List<FileRange> joined(List<FileRange> parts) {
    List<FileRange> joined = new ArrayList<>();
    for (FileRange part : parts.stream().sorted(IN_ORDER).toList()) {
      FileRange last = joined.isEmpty() ? null : joined.getLast();
      if (last != null && last.file == part.file && last.from + last.bytes == part.from) {
        joined.set(joined.size() - 1, new FileRange(last.file, last.from, last.bytes + part.bytes));
      } else {
        joined.add(part);
      }
    }
    return joined;
  }

  /** Says that they will be read soon; waits for nothing. */
  public void announce() {
    file.announce(from, bytes);
  }

  /**
   * Waits until they are in the system's page cache.
   *
   * @throws dev.semantic.model.ModelException if they cannot be read
   */
  public void await() {
    file.await(from, bytes);
  }

  /** Says that they have been read; they stay in the page cache, and count for nobody. */
  public void letGo() {
    file.letGo(from, bytes);
  }
}
