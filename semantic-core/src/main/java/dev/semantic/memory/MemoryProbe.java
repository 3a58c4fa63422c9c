package dev.semantic.memory;

import java.util.List;

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

  /**
   * How an action changes what is active. A runtime with a thread of its own runs it there, so that
   * nothing else is allocated or freed in between.
   */
  default Change during(Runnable action) {
    long before = activeBytes();
    action.run();
    return new Change(before, activeBytes());
  }

  /** What is held now, largest first; empty where the runtime keeps no such list. */
  default List<MemoryAllocation> holdings() {
    return List.of();
  }

  /** Active bytes before and after something. */
  record Change(long before, long after) {}
}
