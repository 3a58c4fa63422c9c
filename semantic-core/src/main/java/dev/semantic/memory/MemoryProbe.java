package dev.semantic.memory;

/**
 * A runtime's memory as it stands now. Figures are the runtime's own (MLX: its allocator's), not
 * the process's. May be asked from any thread.
 */
public interface MemoryProbe {
  /** Bytes in live arrays: weights, caches, intermediates. */
  long activeBytes();

  /** Bytes freed but held back by the allocator for reuse. */
  long cachedBytes();

  /** The most that was active since start or the last {@link #resetPeak()}. */
  long peakBytes();

  /** Starts a new peak at what is active now. */
  void resetPeak();

  /** Gives what the allocator holds back to the system. */
  void releaseCached();
}
