package dev.semantic.spi;

/** Hears how far a load has come. Called on an arbitrary thread; must be quick and not throw. */
@FunctionalInterface
public interface LoadProgress {
  /** Hears nothing. */
  LoadProgress NONE = (done, total) -> {};

  /**
   * So many bytes are in memory now.
   *
   * @param doneBytes bytes of weights in memory
   * @param totalBytes bytes there will be
   */
  void update(long doneBytes, long totalBytes);
}
