package dev.semantic.swap;

import java.util.Objects;

/**
 * The gate between an unload and the next load.
 *
 * @param tolerance how much of the model's bytes may be left behind, 0 to 1
 * @param fallback what happens when more is left
 */
public record ReclaimPolicy(double tolerance, ReclaimFallback fallback) {
  /** One part in a thousand, and on if it fits. */
  public static final ReclaimPolicy DEFAULTS =
      new ReclaimPolicy(0.001, ReclaimFallback.CONTINUE_IF_IT_FITS);

  public ReclaimPolicy {
    Objects.requireNonNull(fallback, "fallback must not be null");
    if (!(tolerance >= 0 && tolerance <= 1)) {
      throw new IllegalArgumentException("A tolerance is a share, 0 to 1; not " + tolerance);
    }
  }
}
