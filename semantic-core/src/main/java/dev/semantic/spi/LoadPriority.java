package dev.semantic.spi;

/** How much of the machine a load takes from those who are served meanwhile. */
public enum LoadPriority {
  /** Next to nothing: the load takes ten times as long, and nobody's tokens wait for it. */
  BACKGROUND,
  /** About half: it works for as long as it rests, with all cores. */
  BALANCED,
  /** All it can use: over as soon as can be, while others wait for their tokens. */
  AT_ONCE
}
