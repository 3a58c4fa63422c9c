package dev.semantic.scripted;

/** Every call that the core makes of a port, and at which a test can make it fail or wait. */
public enum PortCall {
  FETCH,
  PREPARE,
  TEXT,
  READ_AHEAD,
  LOAD,
  PREPARED_CLOSE,
  OPEN,
  RESTORE,
  PLACES,
  OCCUPY,
  FORWARD,
  MODEL_CLOSE,
  TRIM,
  SNAPSHOT,
  SEQUENCE_CLOSE,
  ENCODE,
  STREAM_NEXT,
  STREAM_REST,
  ACTIVE_BYTES,
  RELEASE_CACHED,
  RESTART,
  STORE_LOAD,
  STORE_PARK,
  STORE_PARKED,
  JOURNAL_BEGUN,
  JOURNAL_PHASE,
  JOURNAL_ENDED
}
