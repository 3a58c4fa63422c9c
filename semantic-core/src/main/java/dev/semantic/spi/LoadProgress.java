package dev.semantic.spi;

/**
 * Hears how far a load has come, and says whether it is still wanted. Asked on an arbitrary thread;
 * must be quick and not throw.
 */
@FunctionalInterface
public interface LoadProgress {
  /** Hears nothing. */
  LoadProgress NONE = (done, total) -> {};

  /**
   * So many bytes are there now.
   *
   * @param doneBytes bytes of weights in memory, or bytes of files read ahead
   * @param totalBytes bytes there will be
   */
  void update(long doneBytes, long totalBytes);

  /**
   * Whether nobody wants it any more. A runtime asks after every tensor or so, and then ends with a
   * {@link java.util.concurrent.CancellationException} and nothing left in memory.
   */
  default boolean isCancelled() {
    return false;
  }

  /** How urgent it is: how much to leave to whoever is served meanwhile. */
  default LoadPriority priority() {
    return LoadPriority.AT_ONCE;
  }
}
