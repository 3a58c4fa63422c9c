package dev.semantic.store;

import java.time.Instant;

/** Whether caches can be parked at this moment. */
public sealed interface ParkingStatus {
  /** As far as anybody knows. */
  record Parking() implements ParkingStatus {}

  /**
   * The disk is full, or fuller than it may become, or the store cannot be written for another
   * reason. Agents go on being served from memory; what was parked before is whole. It is tried
   * again by itself.
   *
   * @param since when parking failed first
   * @param why the cause, for people
   */
  record Suspended(Instant since, String why) implements ParkingStatus {}
}
