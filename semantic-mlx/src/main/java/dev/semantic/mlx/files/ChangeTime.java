package dev.semantic.mlx.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Optional;

/**
 * The time of the last change of a file's content or attributes (POSIX ctime), which nobody can
 * set, whatever times a tool restores.
 */
public final class ChangeTime {
  private ChangeTime() {}

  /** Empty where the file system has none. */
  public static Optional<FileTime> of(Path path) throws IOException {
    try {
      return Optional.of((FileTime) Files.getAttribute(path, "unix:ctime"));
    } catch (UnsupportedOperationException | IllegalArgumentException e) {
      return Optional.empty(); // no POSIX file system
    }
  }
}
