package dev.semantic.generate;

/** What an engine is doing. */
public enum EngineMode {
  /** It has no model; requests wait. */
  EMPTY,
  /** Requests are begun and stepped. */
  SERVING,
  /** Nothing is begun; what was begun runs to its end. */
  DRAINING,
  /** There is a model, and nobody uses it; requests wait. */
  DRAINED,
  /**
   * The thread that steps the model ended, which a defect alone can bring about; requests are
   * refused. The next load or swap begins with a fresh one.
   */
  FAILED,
  /** For good. */
  CLOSED
}
