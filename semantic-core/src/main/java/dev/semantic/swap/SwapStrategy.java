package dev.semantic.swap;

import static dev.semantic.swap.SwapPhase.ACTIVATING;
import static dev.semantic.swap.SwapPhase.DRAINING;
import static dev.semantic.swap.SwapPhase.LOADING;
import static dev.semantic.swap.SwapPhase.PARKING;
import static dev.semantic.swap.SwapPhase.PREPARING;
import static dev.semantic.swap.SwapPhase.UNLOADING;

import java.util.List;

/** The order of the phases. */
public enum SwapStrategy {
  /** Nothing serves yet: there is only something to load. */
  LOAD(PREPARING, LOADING, ACTIVATING),

  /** Both models fit: the new one is loaded while the old one serves. */
  MAKE_BEFORE_BREAK(PREPARING, LOADING, DRAINING, PARKING, ACTIVATING, UNLOADING),

  /** Only one fits: the old one has to leave first. */
  BREAK_BEFORE_MAKE(PREPARING, DRAINING, PARKING, UNLOADING, LOADING, ACTIVATING),

  /** Nothing takes the old one's place. */
  UNLOAD(PREPARING, DRAINING, PARKING, UNLOADING);

  @SuppressWarnings("ImmutableEnumChecker") // List.of is
  private final List<SwapPhase> phases;

  SwapStrategy(SwapPhase... phases) {
    this.phases = List.of(phases);
  }

  /** All phases of a swap that goes well, in order. */
  public List<SwapPhase> phases() {
    return phases;
  }
}
