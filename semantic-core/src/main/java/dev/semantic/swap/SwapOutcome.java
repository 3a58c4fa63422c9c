package dev.semantic.swap;

/** How a swap ended. */
public enum SwapOutcome {
  /** The target serves. */
  SWAPPED,
  /**
   * There was nothing to do: the target served already, and its files are the same; or a model was
   * unloaded that had left memory, and does not come back now.
   */
  UNCHANGED,
  /** Nothing was touched: the target was refused, or the drain ran out of time. */
  REFUSED,
  /** Something failed on the way, and what was before is again. */
  ROLLED_BACK,
  /** It was called off, and what was before is again. */
  CANCELLED,
  /** Something failed, and then the old model could not be brought back either. */
  FAILED
}
