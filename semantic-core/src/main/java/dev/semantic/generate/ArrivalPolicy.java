package dev.semantic.generate;

/** What becomes of requests that come while no model can serve. */
public enum ArrivalPolicy {
  /** They wait, in a queue with a bound, up to their deadline. */
  QUEUE,

  /** They are refused with a {@link RequestException} that says when to ask again. */
  REFUSE
}
