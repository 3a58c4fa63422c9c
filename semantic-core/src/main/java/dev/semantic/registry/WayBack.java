package dev.semantic.registry;

import dev.semantic.engine.BatchEngine;
import dev.semantic.log.Log;
import dev.semantic.timeline.Nanos;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Puts everything back as it was before a swap that failed or was called off. */
final class WayBack {
  private static final Log LOG = Log.of(WayBack.class);

  private final BatchEngine engine;
  private final SwapSteps steps;
  private final SwapNotes notes;
  private final Hands hands;

  WayBack(BatchEngine engine, SwapSteps steps, SwapNotes notes, Hands hands) {
    this.engine = engine;
    this.steps = steps;
    this.notes = notes;
    this.hands = hands;
  }

  /**
   * Goes back.
   *
   * @param attempts how often at most
   * @param pause before the second one; twice that before the third
   * @return false if the new model had begun to serve and cannot be stopped: it stays
   */
  boolean go(@Nullable Resident old, @Nullable Resident dropped, int attempts, Duration pause) {
    if (hasBegun(dropped) && !steps.retreat()) {
      return false;
    }
    steps.drop(dropped);
    if (old == null) {
      return true;
    }
    for (int attempt = 1; ; attempt++) {
      try {
        restore(old);
        return true;
      } catch (Throwable t) {
        if (Hands.mayGoOn(t)) {
          engine.giveUp();
        }
        if (attempt >= attempts) {
          throw t;
        }
        LOG.warn("Attempt {} to bring the old model back failed", attempt, t);
        hands.pause(Nanos.times(pause, 1L << Math.min(attempt - 1, 20)));
      }
    }
  }

  /** Asked of the engine: a step that took too long may have come to its end after all. */
  private boolean hasBegun(@Nullable Resident model) {
    return model != null && model.isLoaded() && engine.hasModel(model.loaded());
  }

  private void restore(Resident old) {
    switch (engine.mode()) {
      case DRAINED -> {
        engine.resume();
        notes.blackoutEnds();
      }
      case EMPTY -> {
        if (!old.isLoaded()) {
          steps.loadAgain(old);
        }
        steps.serveWith(old);
      }
      case SERVING, DRAINING -> LOG.debug("{} never stopped serving", old.spec().id());
      case FAILED -> {
        engine.revive();
        restore(old);
      }
      case CLOSED -> throw new IllegalStateException("The engine was closed during a swap");
    }
  }
}
