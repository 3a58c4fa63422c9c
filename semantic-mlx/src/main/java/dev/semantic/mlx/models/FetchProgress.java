package dev.semantic.mlx.models;

import dev.semantic.spi.LoadProgress;

/**
 * Told how far a fetch is, and asked whether it is still wanted; called on the fetching thread or
 * on one of its own, never on two at a time. Must be quick and not throw.
 */
@FunctionalInterface
public interface FetchProgress {
  /** For those who do not want to know. */
  FetchProgress NONE = (done, total) -> {};

  /** Tells one who waits for a load, of which the fetch is the first part. */
  static FetchProgress of(LoadProgress progress) {
    return new FetchProgress() {
      @Override
      public void progress(long doneBytes, long totalBytes) {
        progress.update(doneBytes, totalBytes);
      }

      @Override
      public boolean isCancelled() {
        return progress.isCancelled();
      }
    };
  }

  /**
   * Reports.
   *
   * @param doneBytes never falls within one fetch, and never exceeds the total
   * @param totalBytes more than zero
   */
  void progress(long doneBytes, long totalBytes);

  /** Reports what is more than bytes; of a fetch from a hub only. */
  default void event(FetchEvent event) {}

  /**
   * Whether nobody wants it any more. A fetch from a hub asks often, and then ends with a {@link
   * java.util.concurrent.CancellationException}; what has come is kept for the next one.
   */
  default boolean isCancelled() {
    return false;
  }
}
