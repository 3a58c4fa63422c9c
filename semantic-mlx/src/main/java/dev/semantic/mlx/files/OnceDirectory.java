package dev.semantic.mlx.files;

import dev.semantic.io.DurableFiles;
import dev.semantic.io.PathLock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Directories that are made once and then only read: built beside their place under a lock, renamed
 * in whole. Whoever sees the directory sees all of it; a process that dies while building leaves
 * only something that the next one sweeps away.
 */
public final class OnceDirectory {
  private OnceDirectory() {}

  /** Fills an empty directory. */
  @FunctionalInterface
  public interface Builder {
    void build(Path empty) throws IOException;
  }

  /** Whether a directory that is there is whole. */
  @FunctionalInterface
  public interface Check {
    boolean intact(Path directory) throws IOException;
  }

  /**
   * Returns {@code target} when it is intact, and else makes it anew. Other threads and processes
   * that ask for the same directory wait and find it made.
   *
   * @throws IOException from the builder or the disk; {@code target} is then as it was, or absent
   */
  public static Path make(Path target, Check check, Builder builder) throws IOException {
    if (Files.isDirectory(target) && check.intact(target)) {
      return target;
    }
    Path parent = target.toAbsolutePath().getParent();
    if (parent == null) {
      throw new IOException(target + " is a root, which nobody can make");
    }
    DurableFiles.createPrivate(parent);
    String name = target.getFileName().toString();
    try (PathLock _ = PathLock.acquire(parent.resolve(name + ".lock"))) {
      if (Files.isDirectory(target) && check.intact(target)) {
        return target;
      }
      sweep(parent, name + ".part-");
      Path part = Files.createTempDirectory(parent, name + ".part-");
      try {
        builder.build(part);
        if (Files.exists(target)) {
          // Moved aside first: what is being deleted must never look like the real thing.
          Files.move(target, parent.resolve(part.getFileName() + ".old"));
        }
        Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        sweep(parent, name + ".part-");
      }
      return target;
    }
  }

  /** Deletes a file or a directory with everything in it; absent is fine. */
  public static void delete(Path tree) throws IOException {
    List<Path> paths;
    try (Stream<Path> walk = Files.walk(tree)) {
      paths = walk.sorted(Comparator.reverseOrder()).toList();
    } catch (NoSuchFileException e) {
      return;
    }
    for (Path path : paths) {
      Files.deleteIfExists(path);
    }
  }

  /** Deletes what an interrupted predecessor left in {@code parent} under names of this prefix. */
  public static void sweep(Path parent, String prefix) throws IOException {
    List<Path> left;
    try (Stream<Path> entries = Files.list(parent)) {
      left = entries.filter(p -> p.getFileName().toString().startsWith(prefix)).toList();
    }
    for (Path path : left) {
      delete(path);
    }
  }
}
