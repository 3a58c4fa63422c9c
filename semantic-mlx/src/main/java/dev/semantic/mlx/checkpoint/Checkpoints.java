package dev.semantic.mlx.checkpoint;

import dev.semantic.mlx.files.ModelDirectory;
import dev.semantic.mlx.files.SplitName;
import dev.semantic.model.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Opens model files by what is in them. */
public final class Checkpoints {
  private static final String GGUF = ".gguf";

  private Checkpoints() {}

  /**
   * Opens and checks a model.
   *
   * @param path a GGUF file, a directory in MLX's layout, or one with exactly one GGUF file in it
   * @throws ModelException if there is none, or it is damaged or of an unknown kind
   */
  public static Checkpoint open(Path path) {
    return LostPages.guarded(path, () -> opened(path));
  }

  private static Checkpoint opened(Path path) {
    if (!Files.isDirectory(path)) {
      return GgufCheckpoint.open(path);
    }
    return ModelDirectory.isOne(path)
        ? DirectoryCheckpoint.open(path)
        : GgufCheckpoint.open(onlyGgufIn(path));
  }

  private static Path onlyGgufIn(Path directory) {
    List<Path> found;
    try (Stream<Path> files = Files.list(directory)) {
      found =
          files
              .filter(file -> file.toString().endsWith(GGUF))
              .filter(file -> !ModelDirectory.isLitter(file))
              .filter(file -> SplitName.of(file).map(SplitName::isFirst).orElse(true))
              .sorted()
              .toList();
    } catch (IOException e) {
      throw new ModelException(
          ModelException.Kind.FAILED,
          "Cannot look into the directory %s (%s); may this user read it?".formatted(directory, e),
          e);
    }
    if (found.size() == 1) {
      return found.getFirst();
    }
    if (!found.isEmpty()) {
      throw new ModelException(
          ModelException.Kind.INVALID,
          "%s holds %d .gguf files; name one of them, for example %s"
              .formatted(directory, found.size(), found.getFirst()));
    }
    throw new ModelException(
        ModelException.Kind.NOT_FOUND,
        "%s is a directory with neither a %s nor a .gguf file; name the model's own"
            .formatted(directory, ModelDirectory.CONFIG));
  }
}
