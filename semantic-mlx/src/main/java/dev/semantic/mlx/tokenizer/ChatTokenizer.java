package dev.semantic.mlx.tokenizer;

import dev.semantic.spi.Tokenizer;
import java.time.Clock;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A model's tokens and texts, with memory outside of the heap. */
public interface ChatTokenizer extends Tokenizer, AutoCloseable {
  /** A conversation as a model reads it. */
  @SuppressWarnings("ArrayRecordComponent") // made for whoever asked
  record Rendered(String text, int[] tokens) {}

  /**
   * A conversation of any fields, with all else that a template may be given.
   *
   * @param values as {@link dev.semantic.mlx.ModelChat#render} has them
   * @throws dev.semantic.model.ModelException if there is no template, or it refuses the values
   */
  Rendered render(Map<String, ? extends @Nullable Object> values, Clock clock);

  @Override
  void close();
}
