package dev.semantic.store;

import dev.semantic.memory.ByteSize;

/**
 * What a round of upkeep did.
 *
 * @param caches how many went; what lay in quarantine counts, too
 * @param freed what that gave back
 */
public record MaintenanceReport(int caches, ByteSize freed) {
  static final MaintenanceReport NOTHING = new MaintenanceReport(0, ByteSize.ZERO);

  MaintenanceReport plus(MaintenanceReport other) {
    return new MaintenanceReport(caches + other.caches, freed.plus(other.freed));
  }
}
