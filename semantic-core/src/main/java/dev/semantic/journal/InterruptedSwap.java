package dev.semantic.journal;

import dev.semantic.swap.SwapPhase;

/**
 * A swap whose process ended in the middle of it.
 *
 * @param phase the last one it entered
 * @param pid of the process that is gone
 */
public record InterruptedSwap(SwapEntry swap, SwapPhase phase, long pid) {
  /** {@code swap 1f3a from smollm2 to gemma3, while LOADING, in process 4711}. */
  @Override
  public String toString() {
    return "swap %s from %s to %s, while %s, in process %d"
        .formatted(
            swap.id(),
            swap.from().map(tag -> tag.model()).orElse("nothing"),
            swap.to().map(id -> id.name()).orElse("nothing"),
            phase,
            pid);
  }
}
