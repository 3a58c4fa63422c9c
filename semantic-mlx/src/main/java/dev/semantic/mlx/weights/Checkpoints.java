package dev.semantic.mlx.weights;

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
   * @param path a GGUF file, or a directory with exactly one in it
   * @throws ModelException if there is none, or it is damaged or of an unknown kind
   */
  public static Checkpoint open(Path path) {
    return GgufCheckpoint.open(Files.isDirectory(path) ? onlyGgufIn(path) : path);
  }

  private static Path onlyGgufIn(Path directory) {
    List<Path> found;
    try (Stream<Path> files = Files.list(directory)) {
      found = files.filter(file -> file.toString().endsWith(GGUF)).sorted().toList();
    } catch (IOException e) {
      throw new ModelException(
          "Cannot look into the directory %s (%s); may this user read it?".formatted(directory, e),
          e);
    }
    if (found.size() == 1) {
      return found.getFirst();
    }
    if (!found.isEmpty()) {
      throw new ModelException(
          "%s holds %d .gguf files; name one of them, for example %s"
              .formatted(directory, found.size(), found.getFirst()));
    }
    throw new ModelException(
        Files.exists(directory.resolve("config.json"))
            ? directory
                + " is a model in MLX's directory layout, which cannot be loaded yet;"
                + " name a .gguf file"
            : directory + " is a directory without a .gguf file; name the model's file");
  }
}
