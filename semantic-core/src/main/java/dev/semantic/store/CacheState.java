package dev.semantic.store;

/** Where a parked cache lies. */
public enum CacheState {
  /** Ready to be loaded. */
  LIVE,
  /** Put aside until its model returns. */
  ARCHIVED,
  /** Found damaged or under a wrong name; never loaded. */
  QUARANTINED
}
