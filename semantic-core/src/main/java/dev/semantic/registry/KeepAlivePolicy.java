package dev.semantic.registry;

import dev.semantic.model.ModelId;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * How long a model stays in memory when nobody asks it anything.
 *
 * @param idleTimeToLive after so long without a request the model is unloaded, its agents parked;
 *     the next request brings it back. Empty: it stays
 * @param pinned models that stay nevertheless
 * @param preload loaded when the registry is built: the first of them that can be
 * @param reloadBackoff for so long after a model could not be brought back for a request, requests
 *     are refused with that reason at once, instead of trying again for each
 */
public record KeepAlivePolicy(
    Optional<Duration> idleTimeToLive,
    Set<ModelId> pinned,
    List<ModelId> preload,
    Duration reloadBackoff) {
  /** Models stay, and nothing is loaded unasked. */
  public static final KeepAlivePolicy UNLIMITED =
      new KeepAlivePolicy(Optional.empty(), Set.of(), List.of(), Duration.ofSeconds(5));

  public KeepAlivePolicy {
    Objects.requireNonNull(idleTimeToLive, "idleTimeToLive must not be null");
    Objects.requireNonNull(reloadBackoff, "reloadBackoff must not be null");
    pinned = Set.copyOf(Objects.requireNonNull(pinned, "pinned must not be null"));
    preload = List.copyOf(Objects.requireNonNull(preload, "preload must not be null"));
    if (idleTimeToLive.filter(time -> time.isNegative() || time.isZero()).isPresent()) {
      throw new IllegalArgumentException("A model cannot stay for " + idleTimeToLive.get());
    }
    if (reloadBackoff.isNegative()) {
      throw new IllegalArgumentException("A failure cannot be remembered for " + reloadBackoff);
    }
  }

  /** Models leave after a time without requests. */
  public static KeepAlivePolicy idleFor(Duration time) {
    return new KeepAlivePolicy(
        Optional.of(Objects.requireNonNull(time, "time must not be null")),
        Set.of(),
        List.of(),
        UNLIMITED.reloadBackoff());
  }

  /** The same, but these stay. */
  public KeepAlivePolicy pinning(ModelId... models) {
    return new KeepAlivePolicy(
        idleTimeToLive,
        Set.of(Objects.requireNonNull(models, "models must not be null")),
        preload,
        reloadBackoff);
  }

  /** The same, and the first of these that can be is loaded at the start. */
  public KeepAlivePolicy preloading(ModelId... models) {
    return new KeepAlivePolicy(
        idleTimeToLive,
        pinned,
        List.of(Objects.requireNonNull(models, "models must not be null")),
        reloadBackoff);
  }
}
