package dev.semantic.mlx.store;

/** Told how far a fetch is; called on the fetching thread or on one of its own, never on two. */
@FunctionalInterface
public interface FetchProgress {
  /** For those who do not want to know. */
  FetchProgress NONE = (done, total) -> {};

  /**
   * Reports.
   *
   * @param doneBytes never falls within one fetch, and never exceeds the total
   * @param totalBytes more than zero
   */
  void progress(long doneBytes, long totalBytes);
}
