package dev.semantic.mlx.checkpoint;

import dev.semantic.model.ModelException;
import java.nio.file.Path;
import java.util.function.Supplier;

/**
 * What became of a mapped file that was cut, or whose disk failed, while it was read. The JVM tells
 * the reading thread by an {@link InternalError}, and not always where it read: compiled code hears
 * of it when it next looks up, some calls further out. So it is caught where reading ends.
 */
public final class LostPages {
  private LostPages() {}

  /**
   * Runs what reads a model's files.
   *
   * @throws ModelException of kind {@code CHANGED} if a page of them could not be read
   */
  public static <T> T guarded(Path model, Supplier<T> reading) {
    try {
      return reading.get();
    } catch (InternalError e) {
      throw refusal(model, e);
    }
  }

  /** What to throw instead of the JVM's error. */
  public static ModelException refusal(Path path, InternalError error) {
    return new ModelException(
        ModelException.Kind.CHANGED,
        "%s was cut or could not be read any more while it was read; is it being written?"
            .formatted(path),
        error);
  }
}
