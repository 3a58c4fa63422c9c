package dev.semantic.mlx.weights;

import dev.semantic.model.ModelException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Opens model files by what is in them. */
public final class Checkpoints {
  private Checkpoints() {}

  /**
   * Opens and checks a model.
   *
   * @throws ModelException if there is none, or it is damaged or of an unknown kind
   */
  public static Checkpoint open(Path path) {
    if (Files.isDirectory(path)) {
      throw new ModelException(
          "%s is a directory without a .gguf file; name the model's file".formatted(path));
    }
    return GgufCheckpoint.open(path);
  }
}
