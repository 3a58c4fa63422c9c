package dev.semantic.store;

import dev.semantic.kv.AgentId;

/** What became of one cache of several that were to be parked together. */
public sealed interface ParkingResult {
  /** It is kept, as {@link CacheStore#park} keeps it. */
  record Parked(ParkedCache cache) implements ParkingResult {}

  /**
   * It is not; what the agent had parked before is still there, whole.
   *
   * @param why as {@link CacheStore#park} would have thrown it
   */
  record Failed(AgentId agent, Throwable why) implements ParkingResult {}
}
