package dev.semantic.generate;

/** Why a generation ended. */
public enum FinishReason {
  /** The model said so. */
  END_TOKEN,
  /** As many tokens as were asked for. */
  MAX_TOKENS,
  /** A stop string came up. */
  STOP_STRING,
  /** The model's context is full. */
  CONTEXT_FULL,
  /** Somebody cancelled it. */
  CANCELLED,
  /** It had taken all the time that was given to it. */
  TIME_LIMIT,
  /** It had to stop for a swap, and its model did not return in time. */
  PREEMPTED
}
