package dev.semantic.examples.server.clients;

/** What becomes of a request that names another model than the one that serves. */
public enum ModelPolicy {
  /** It is refused, and told which one serves. */
  REFUSE,
  /** It waits until an admin has swapped to that model. */
  QUEUE,
  /** That model is swapped to when its turn comes. */
  AUTO
}
