package dev.semantic.engine;

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
  /** For good. */
  CLOSED
}
