package dev.semantic.mlx.models;

import java.util.Locale;

/** How much of a catalogue model is in the user's cache. */
public enum ModelState {
  /** Nothing. */
  ABSENT,
  /** Some packages, or a file that has not been verified; fetching goes on from there. */
  PARTIAL,
  /** The whole file, verified when it was joined and not changed since. */
  READY;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
