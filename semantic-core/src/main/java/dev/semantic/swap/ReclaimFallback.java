package dev.semantic.swap;

/** What happens when an unload leaves memory behind, and another model is to be loaded. */
public enum ReclaimFallback {
  /**
   * The swap goes on if the budget holds the new model beside what was left behind, else it stops.
   */
  CONTINUE_IF_IT_FITS,

  /** The swap stops before it loads; the old model is brought back. */
  STOP,

  /**
   * The runtime is started over, which frees whatever is left; the swap goes on if that helped. A
   * runtime that cannot do that counts as {@link #STOP}.
   */
  RESTART_RUNTIME
}
