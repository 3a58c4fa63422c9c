package dev.semantic.swap;

/** What a swap is doing. In which order is the plan's to say. */
public enum SwapPhase {
  /** The target is checked while the old model serves. */
  PREPARING,
  /** Nothing new is begun; requests under way come to their end. */
  DRAINING,
  /** Every agent's cache is written to the store. */
  PARKING,
  /** The old weights leave memory. */
  UNLOADING,
  /** The new weights are brought into memory. */
  LOADING,
  /** The engine begins to serve with the new model, agents come back. */
  ACTIVATING,
  /** Something failed: the old model is put back. */
  ROLLING_BACK
}
