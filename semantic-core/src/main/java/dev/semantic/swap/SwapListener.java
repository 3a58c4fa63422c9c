package dev.semantic.swap;

import dev.semantic.memory.ByteSize;

/**
 * Hears of a swap while it runs, on the thread that swaps: be quick. What a listener throws is
 * logged and changes nothing.
 */
public interface SwapListener {
  /** A phase begins. */
  default void phase(SwapPhase phase) {}

  /** So much of the new model's weights is in memory. */
  default void progress(ByteSize done, ByteSize total) {}

  /** It has ended, well or not. */
  default void finished(SwapReport report) {}
}
