package dev.semantic.spi;

import dev.semantic.kv.KvTarget;

/**
 * A sequence that does not exist yet: memory of a loaded model that a parked cache is read into.
 * Any thread may read, and give it back, while another one uses the model; {@link #commit} is for
 * the one that uses it. When the model is closed, it is over.
 */
public interface KvAllocation extends KvTarget, AutoCloseable {
  /**
   * The sequence, once all that {@link #buffers} was asked for has been written and found good. The
   * allocation is over then.
   *
   * @throws IllegalStateException if nothing was placed, or it is over
   */
  Sequence commit();

  /** Gives the memory back, unless it was committed. */
  @Override
  void close();
}
