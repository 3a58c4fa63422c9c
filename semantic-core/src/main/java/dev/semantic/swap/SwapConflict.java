package dev.semantic.swap;

/** What becomes of a swap that is asked for while another one runs. */
public enum SwapConflict {
  /** It is refused. */
  REFUSE,

  /** It waits for its turn. */
  WAIT,

  /** It calls off the one that runs, waits until that has gone back, and takes its place. */
  SUPERSEDE
}
