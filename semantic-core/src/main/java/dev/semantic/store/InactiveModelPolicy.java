package dev.semantic.store;

/**
 * What becomes of parked caches whose model is not the present one. None of them is ever loaded for
 * another model; the question is only where they wait, or whether they do.
 */
public enum InactiveModelPolicy {
  /** They stay where they are, and are there when their model returns. */
  KEEP,
  /** They move to {@code .archive}, which has limits of its own, and come back with their model. */
  ARCHIVE,
  /** They are removed once another model serves. */
  DELETE
}
