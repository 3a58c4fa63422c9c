package dev.semantic.spi;

import dev.semantic.kv.KvSnapshot;
import java.util.Arrays;
import java.util.Optional;

/** One agent's tokens and their KV cache inside a loaded model. Used by one thread at a time. */
public interface Sequence extends AutoCloseable {
  /** The tokens whose keys and values are held, in order. A copy. */
  int[] tokens();

  /** How many of the first {@code tokens} are held, up to the first that differs. */
  default int common(int[] tokens) {
    int[] held = tokens();
    int mismatch = Arrays.mismatch(held, tokens);
    return mismatch < 0 ? held.length : mismatch;
  }

  /** How many tokens are held. */
  int length();

  /**
   * Forgets all tokens from {@code length} on.
   *
   * @return false, with nothing changed, where forgetting would not be exact: a sliding-window
   *     layer has already overwritten what it would need
   */
  boolean trim(int length);

  /**
   * A sequence of its own that begins with the first {@code tokens} of this one. Both hold them in
   * the same memory from now on, whichever is closed first; what either adds is its own.
   *
   * @param tokens from 1 to {@link #length}
   * @return empty, with nothing changed, where that would not be exact: a sliding-window layer has
   *     already let go of what the new sequence would attend to
   */
  default Optional<Sequence> fork(int tokens) {
    return Optional.empty();
  }

  /**
   * Bytes this sequence's cache occupies now; what it shares with others is counted in each of
   * them.
   */
  long bytes();

  /** The whole state, copied out; the sequence stays usable. */
  KvSnapshot snapshot();

  @Override
  void close();
}
