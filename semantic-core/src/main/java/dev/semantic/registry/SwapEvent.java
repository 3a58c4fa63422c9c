package dev.semantic.registry;

import dev.semantic.swap.SwapStrategy;

/** What happens to a swap. */
sealed interface SwapEvent {
  /** Somebody wants another model, or none. */
  record Requested() implements SwapEvent {}

  /** The target was found good. */
  record Prepared(SwapStrategy strategy) implements SwapEvent {}

  /** The target is what serves already; nothing, if nothing was wanted. */
  record Unchanged() implements SwapEvent {}

  /** The phase was carried out. */
  record Done() implements SwapEvent {}

  /** The phase could not be carried out. */
  record PhaseFailed() implements SwapEvent {}

  /** Going back was too late: the new model serves, and cannot be stopped. */
  record RollbackImpossible() implements SwapEvent {}
}
