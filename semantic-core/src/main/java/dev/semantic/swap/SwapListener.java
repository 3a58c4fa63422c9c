package dev.semantic.swap;

import dev.semantic.memory.ByteSize;

/**
 * Hears of a swap while it runs, one thing after the other, on threads that are not its own: be
 * quick, the swap waits, though for five seconds at most. A listener that has not come back by then
 * hears nothing more until it has. What it throws is logged and changes nothing.
 */
public interface SwapListener {
  /** The target was found good, and this is how the swap will go. */
  default void planned(SwapPlan plan) {}

  /** A phase begins. */
  default void phase(SwapPhase phase) {}

  /** So much of the new model is read ahead (while preparing) or in memory (while loading). */
  default void progress(ByteSize done, ByteSize total) {}

  /** It has ended, well or not. */
  default void finished(SwapReport report) {}
}
