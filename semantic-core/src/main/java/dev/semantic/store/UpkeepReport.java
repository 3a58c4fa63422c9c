package dev.semantic.store;

import dev.semantic.memory.ByteSize;

/**
 * What a round of upkeep did.
 *
 * @param caches how many went; what lay in quarantine counts, too
 * @param freed what that gave back
 */
public record UpkeepReport(int caches, ByteSize freed) {
  static final UpkeepReport NOTHING = new UpkeepReport(0, ByteSize.ZERO);

  UpkeepReport plus(UpkeepReport other) {
    return new UpkeepReport(caches + other.caches, freed.plus(other.freed));
  }
}
