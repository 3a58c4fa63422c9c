package dev.semantic.spi;

import dev.semantic.model.ModelException;
import dev.semantic.model.ModelSpec;

/**
 * A model that was found good and could be loaded now. Holds its tokenizer, not its weights; may be
 * loaded again after an unload.
 */
public interface PreparedModel extends AutoCloseable {
  ModelSpec spec();

  /**
   * The model's tokenizer and chat template; good until this prepared model is closed. The first
   * call may wait for what is still being made, beside a load for instance.
   *
   * @throws ModelException if it cannot be made
   */
  Tokenizer text();

  /**
   * Brings the files into the system's page cache, so that a load soon after it need not wait for
   * the disk. Takes no memory of the runtime; a hint, which a backend may ignore.
   *
   * @throws java.util.concurrent.CancellationException if {@code progress} says so
   */
  default void readAhead(LoadProgress progress) {}

  /**
   * Reads the weights and returns once all of them are in memory, evaluated, and one warm-up token
   * has been computed. On failure nothing stays in memory. Meanwhile another model of this runtime
   * can be used.
   *
   * @throws ModelException if the files changed or are damaged, or memory runs out
   * @throws java.util.concurrent.CancellationException if {@code progress} says so
   */
  LoadedModel load(LoadProgress progress);

  @Override
  void close();
}
