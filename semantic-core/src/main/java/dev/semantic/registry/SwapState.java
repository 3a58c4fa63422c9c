package dev.semantic.registry;

import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapStrategy;

/** Where a registry stands. */
sealed interface SwapState {
  /** No model, and no reason for one. */
  record Empty() implements SwapState {}

  /** A model serves. */
  record Idle() implements SwapState {}

  /**
   * The target is being checked; whether something serves meanwhile, {@code serving} tells.
   *
   * @param serving whether there is an old model
   */
  record Preparing(boolean serving) implements SwapState {}

  /** A swap is under way in a phase after {@link SwapPhase#PREPARING}. */
  record Running(SwapPhase phase, SwapStrategy strategy) implements SwapState {}

  /**
   * The old model is being put back.
   *
   * @param failed in which phase the swap failed
   */
  record RollingBack(SwapPhase failed, SwapStrategy strategy) implements SwapState {}

  /** No model serves, because neither the new nor the old one could be brought up. */
  record Failed() implements SwapState {}
}
