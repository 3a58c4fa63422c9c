package dev.semantic.store;

import java.util.Objects;

/**
 * What becomes of parked caches over time. Immutable; begin with {@link #DEFAULTS}, by which
 * nothing that is whole ever goes away.
 *
 * @param inactiveModels what becomes of caches whose model was exchanged for another
 * @param live limits for what is ready to be loaded. What an agent in memory was parked as stays in
 *     any case, and so does what was used in the last minute. Its {@link Retention#freeDisk} is
 *     also the floor below which nothing is parked any more
 * @param archive limits for what {@link InactiveModelPolicy#ARCHIVE} has put aside
 * @param quarantine limits for what was found damaged
 */
public record MaintenancePolicy(
    InactiveModelPolicy inactiveModels, Retention live, Retention archive, Retention quarantine) {
  /** Everything stays where it is. */
  public static final MaintenancePolicy DEFAULTS =
      new MaintenancePolicy(
          InactiveModelPolicy.KEEP, Retention.UNLIMITED, Retention.UNLIMITED, Retention.UNLIMITED);

  public MaintenancePolicy {
    Objects.requireNonNull(inactiveModels, "departed must not be null");
    Objects.requireNonNull(live, "live must not be null");
    Objects.requireNonNull(archive, "archive must not be null");
    Objects.requireNonNull(quarantine, "quarantine must not be null");
  }

  public MaintenancePolicy withInactiveModels(InactiveModelPolicy value) {
    return new MaintenancePolicy(value, live, archive, quarantine);
  }

  public MaintenancePolicy withLive(Retention value) {
    return new MaintenancePolicy(inactiveModels, value, archive, quarantine);
  }

  public MaintenancePolicy withArchive(Retention value) {
    return new MaintenancePolicy(inactiveModels, live, value, quarantine);
  }

  public MaintenancePolicy withQuarantine(Retention value) {
    return new MaintenancePolicy(inactiveModels, live, archive, value);
  }

  boolean isUnlimited() {
    return live.isUnlimited() && archive.isUnlimited() && quarantine.isUnlimited();
  }
}
