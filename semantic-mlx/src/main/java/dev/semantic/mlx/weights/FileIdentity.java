package dev.semantic.mlx.weights;

import dev.semantic.model.ModelException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;

/**
 * What tells that a file is still the same one, without reading it.
 *
 * @param key the file system's own identity of it (device and inode); empty where there is none
 */
record FileIdentity(Path path, long size, FileTime modified, String key) {
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
}
