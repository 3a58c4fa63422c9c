package dev.semantic.mlx.files;

import dev.semantic.io.Reason;
import dev.semantic.model.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A model in MLX's directory layout: its files by name. A name that leads out of the directory is
 * refused, and so is a link; but for the links of the hub's cache, whose snapshots share blobs.
 */
public final class ModelDirectory {
  /** What makes a directory one. */
  public static final String CONFIG = "config.json";

  private static final long LARGEST_JSON = 64L << 20;

  private final Path path;
  private final Path real;

  private ModelDirectory(Path path, Path real) {
    this.path = path;
    this.real = real;
  }

  /**
   * Looks at a directory.
   *
   * @throws ModelException if it is none, or may not be read
   */
  public static ModelDirectory of(Path path) {
    try {
      return new ModelDirectory(path, path.toRealPath());
    } catch (IOException e) {
      throw new ModelException(
          ModelException.Kind.FAILED,
          "Cannot look into the directory %s: %s".formatted(path, Reason.of(e)),
          e);
    }
  }

  /** Whether a directory is laid out so. */
  public static boolean isOne(Path path) {
    return Files.exists(path.resolve(CONFIG));
  }

  /**
   * Whether a file is none of a model's but what macOS keeps beside one, where the file system has
   * no place for it: {@code ._name} (AppleDouble).
   */
  public static boolean isLitter(Path file) {
    return String.valueOf(file.getFileName()).startsWith("._");
  }

  /** As it was asked for. */
  public Path path() {
    return path;
  }

  /**
   * A file that must be there.
   *
   * @throws ModelException if it is not, or lies elsewhere
   */
  public Path file(String name) {
    return optional(name)
        .orElseThrow(
            () ->
                new ModelException(
                    ModelException.Kind.NOT_FOUND,
                    "%s lacks the file %s. Is it whole?".formatted(path, name)));
  }

  /**
   * A file that may be there.
   *
   * @throws ModelException if it lies elsewhere
   */
  public Optional<Path> optional(String name) {
    Path file;
    try {
      Path asked = Path.of(name);
      if (asked.getNameCount() != 1 || asked.isAbsolute() || name.startsWith("..")) {
        throw new ModelException(
            ModelException.Kind.DAMAGED,
            "%s names the file %s, which is not one of its own".formatted(path, name));
      }
      file = path.resolve(asked);
    } catch (InvalidPathException e) {
      throw new ModelException(
          ModelException.Kind.DAMAGED,
          "%s names the file '%s'; there is none".formatted(path, name),
          e);
    }
    if (!Files.exists(file)) {
      if (Files.isSymbolicLink(file)) {
        throw new ModelException(
            ModelException.Kind.NOT_FOUND,
            "%s is a link to a file that is not there. Fetch it again.".formatted(file));
      }
      return Optional.empty();
    }
    requireInside(file);
    return Optional.of(file);
  }

  private void requireInside(Path file) {
    try {
      Path target = file.toRealPath();
      if (!target.startsWith(real) && !isBlob(target)) {
        throw new ModelException(
            ModelException.Kind.UNSUPPORTED,
            "%s is a link to %s, outside of the model's directory; copy the file there instead"
                .formatted(file, target));
      }
    } catch (IOException e) {
      throw new ModelException(
          ModelException.Kind.FAILED, "Cannot read %s: %s".formatted(file, Reason.of(e)), e);
    }
  }

  /** {@code models--a--b/snapshots/REVISION/file} is a link to {@code models--a--b/blobs/HASH}. */
  private boolean isBlob(Path target) {
    Path snapshots = real.getParent();
    Path repository = snapshots == null ? null : snapshots.getParent();
    return snapshots != null
        && repository != null
        && snapshots.endsWith("snapshots")
        && target.startsWith(repository.resolve("blobs"));
  }

  /** Names of its files that begin and end so, sorted. */
  public List<String> names(String prefix, String suffix) {
    try (Stream<Path> files = Files.list(path)) {
      return files
          .filter(file -> !isLitter(file))
          .map(file -> String.valueOf(file.getFileName()))
          .filter(name -> name.startsWith(prefix) && name.endsWith(suffix))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new ModelException(
          ModelException.Kind.FAILED,
          "Cannot look into the directory %s: %s".formatted(path, Reason.of(e)),
          e);
    }
  }

  /** A JSON object that must be there. */
  public Map<String, @Nullable Object> json(String name) {
    return JsonText.read(file(name), LARGEST_JSON);
  }

  /** A JSON object that may be there; empty where it is not. */
  public Map<String, @Nullable Object> jsonIfThere(String name) {
    return optional(name).map(file -> JsonText.read(file, LARGEST_JSON)).orElseGet(Map::of);
  }
}
