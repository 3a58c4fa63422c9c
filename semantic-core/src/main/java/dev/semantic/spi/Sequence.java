package dev.semantic.spi;

import dev.semantic.cache.KvSnapshot;

/** One agent's tokens and their KV cache inside a loaded model. Used by one thread at a time. */
public interface Sequence extends AutoCloseable {
  /** The tokens whose keys and values are held, in order. A copy. */
  int[] tokens();

  /** How many tokens are held. */
  int length();

  /**
   * Forgets all tokens from {@code length} on.
   *
   * @return false, with nothing changed, where forgetting would not be exact: a sliding-window
   *     layer has already overwritten what it would need
   */
  boolean trim(int length);

  /** Bytes this sequence's cache occupies now. */
  long bytes();

  /** The whole state, copied out; the sequence stays usable. */
  KvSnapshot snapshot();

  @Override
  void close();
}
