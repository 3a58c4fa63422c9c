package dev.semantic.store;

import java.util.Objects;

/**
 * What becomes of parked caches over time. Immutable; begin with {@link #USUAL}, by which nothing
 * that is whole ever goes away.
 *
 * @param departed what becomes of caches whose model was exchanged for another
 * @param live limits for what is ready to be loaded. What an agent in memory was parked as stays in
 *     any case, and so does what was used in the last minute. Its {@link Retention#freeDisk} is
 *     also the floor below which nothing is parked any more
 * @param archive limits for what {@link Departed#ARCHIVE} has put aside
 * @param quarantine limits for what was found damaged
 */
public record UpkeepPolicy(
    Departed departed, Retention live, Retention archive, Retention quarantine) {
  /** Everything stays where it is. */
  public static final UpkeepPolicy USUAL =
      new UpkeepPolicy(
          Departed.KEEP, Retention.UNLIMITED, Retention.UNLIMITED, Retention.UNLIMITED);

  public UpkeepPolicy {
    Objects.requireNonNull(departed, "departed must not be null");
    Objects.requireNonNull(live, "live must not be null");
    Objects.requireNonNull(archive, "archive must not be null");
    Objects.requireNonNull(quarantine, "quarantine must not be null");
  }

  public UpkeepPolicy withDeparted(Departed value) {
    return new UpkeepPolicy(value, live, archive, quarantine);
  }

  public UpkeepPolicy withLive(Retention value) {
    return new UpkeepPolicy(departed, value, archive, quarantine);
  }

  public UpkeepPolicy withArchive(Retention value) {
    return new UpkeepPolicy(departed, live, value, quarantine);
  }

  public UpkeepPolicy withQuarantine(Retention value) {
    return new UpkeepPolicy(departed, live, archive, value);
  }

  boolean isUnlimited() {
    return live.isUnlimited() && archive.isUnlimited() && quarantine.isUnlimited();
  }
}
