package dev.semantic.mlx.checkpoint;

import dev.semantic.mlx.files.ChangeTime;
import dev.semantic.model.ModelException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * What tells that a file is still the same one, without reading it. Size and time of modification
 * are what tools that copy restore; the time of the last change of anything is the system's own.
 *
 * @param modified may be set by anybody
 * @param changed the last change of content or attributes (POSIX ctime), which nobody can set; the
 *     epoch where the file system has none
 * @param key the file system's own identity of it (device and inode); empty where there is none
 */
record FileIdentity(Path path, long size, FileTime modified, FileTime changed, String key) {
  private static final FileTime NEVER = FileTime.fromMillis(0);
  private static final Duration SETTLED = Duration.ofSeconds(2);

  static FileIdentity of(Path path) {
    try {
      BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
      if (!attributes.isRegularFile()) {
        throw new ModelException(ModelException.Kind.NOT_FOUND, path + " is not a file");
      }
      if (!Files.isReadable(path)) {
        throw new AccessDeniedException(path.toString());
      }
      if (attributes.size() == 0) {
        throw new ModelException(ModelException.Kind.DAMAGED, path + " is empty. Fetch it again.");
      }
      return new FileIdentity(
          path.toRealPath(),
          attributes.size(),
          attributes.lastModifiedTime(),
          ChangeTime.of(path).orElse(NEVER),
          String.valueOf(attributes.fileKey()));
    } catch (NoSuchFileException e) {
      throw new ModelException(ModelException.Kind.NOT_FOUND, "There is no file " + path, e);
    } catch (AccessDeniedException e) {
      throw new ModelException(ModelException.Kind.FAILED, "No permission to read " + path, e);
    } catch (IOException e) {
      throw new ModelException(
          ModelException.Kind.FAILED, "Cannot read %s: %s".formatted(path, e.getMessage()), e);
    }
  }

  /**
   * Whether a file that still has this identity has its content, too, if it had it at {@code then}.
   * Not where the file had been changed just before, for clocks of file systems are coarse and a
   * second change may not show, nor where the time is none of the moment: whole seconds are what
   * images with normalised times and old file systems have.
   */
  boolean isProofSince(Instant then) {
    Instant last = changed.toInstant();
    return !last.truncatedTo(ChronoUnit.SECONDS).equals(last) && last.plus(SETTLED).isBefore(then);
  }
}
