package dev.semantic.mlx.checkpoint;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Bytes of a model's file, one behind the other. Any thread. */
public final class FilePart {
  private static final Comparator<FilePart> IN_ORDER =
      Comparator.<FilePart, String>comparing(part -> part.file.path().toString())
          .thenComparingLong(part -> part.from);

  private final MappedFile file;
  private final long from;
  private final long bytes;

  FilePart(MappedFile file, long from, long bytes) {
    this.file = file;
    this.from = from;
    this.bytes = bytes;
  }

  /** How many. */
  public long bytes() {
    return bytes;
  }

  /** As they lie on disk: by file, and from its beginning. */
  public static Comparator<FilePart> inOrder() {
    return IN_ORDER;
  }

  /** Some of these bytes. */
  public FilePart slice(long first, long count) {
    return new FilePart(file, from + first, count);
  }

  /** The same bytes in as few parts as there can be, in order. */
  public static List<FilePart> joined(List<FilePart> parts) {
    List<FilePart> joined = new ArrayList<>();
    for (FilePart part : parts.stream().sorted(IN_ORDER).toList()) {
      FilePart last = joined.isEmpty() ? null : joined.getLast();
      if (last != null && last.file == part.file && last.from + last.bytes == part.from) {
        joined.set(joined.size() - 1, new FilePart(last.file, last.from, last.bytes + part.bytes));
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
