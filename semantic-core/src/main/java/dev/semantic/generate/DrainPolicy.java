package dev.semantic.generate;

/** What becomes of the requests that are under way when the model is to be changed. */
public enum DrainPolicy {
  /** They run to their end. */
  FINISH,

  /**
   * They stop between two tokens, and go on with the same model if it serves again: because the
   * swap failed, or because it returned in time. Otherwise they end as {@link
   * FinishReason#PREEMPTED}, with what they have.
   */
  PREEMPT,

  /** They end between two tokens with a {@link RequestException} that says when to ask again. */
  REJECT
}
