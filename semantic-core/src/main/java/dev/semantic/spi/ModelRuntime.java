package dev.semantic.spi;

import dev.semantic.memory.MemoryBudget;
import dev.semantic.memory.MemoryProbe;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;

/**
 * A backend that brings models into memory. All methods may be called from any thread; a runtime
 * that is bound to one thread hands the work over itself.
 */
public interface ModelRuntime extends AutoCloseable {
  /**
   * Brings a model's files to this machine if they are elsewhere. A swap does not ask for it: what
   * takes as long as a network likes is done beforehand. Does nothing where everything is here.
   *
   * @param progress hears of bytes of files, and can call it off; what has come is kept
   * @throws ModelException if they cannot be had
   * @throws java.util.concurrent.CancellationException if {@code progress} says so
   */
  default void fetch(ModelId id, LoadProgress progress) {}

  /**
   * Finds and checks a model while another one may be serving: files, headers, every tensor's
   * presence, type and shape, tokenizer, template. Reads no weight and takes no model memory.
   *
   * @throws ModelException if it cannot be found or could not be loaded
   */
  PreparedModel prepare(ModelId id);

  /** This runtime's memory. */
  MemoryProbe memory();

  /** What models and caches may take together here, unless the host says otherwise. */
  default MemoryBudget budget() {
    return MemoryBudget.ofSystem();
  }

  /**
   * Frees everything, whatever still refers to it, by starting over: the last resort when an unload
   * did not give all memory back. Every loaded model is closed by it; prepared ones stay good.
   *
   * @return false, with nothing done, if this runtime cannot
   */
  default boolean restart() {
    return false;
  }

  /** Closes what is still open. */
  @Override
  void close();
}
