package dev.semantic.registry;

import dev.semantic.engine.BatchEngine;
import dev.semantic.log.Log;
import dev.semantic.swap.SwapCancelledException;
import dev.semantic.timeline.MemoryRetry;
import dev.semantic.timeline.Nanos;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Puts everything back as it was before a swap that failed or was called off. */
final class Rollback {
  private static final Log LOG = Log.of(Rollback.class);
  private static final int MEMORY_ATTEMPTS = 4;

  private final BatchEngine engine;
  private final SwapActions actions;
  private final SwapRecorder recorder;
  private final StepRunner stepRunner;
  private final MemoryRetry retry;
  private final Runnable resuming; // made betimes

  Rollback(
      BatchEngine engine,
      SwapActions actions,
      SwapRecorder recorder,
      StepRunner stepRunner,
      MemoryRetry retry) {
    this.engine = engine;
    this.actions = actions;
    this.recorder = recorder;
    this.stepRunner = stepRunner;
    this.retry = retry;
    this.resuming = engine::resume;
  }

  /**
   * Goes back. The old model is not lost because somebody else took all of the heap for a moment:
   * if it is still in memory it is resumed as soon as there is some, and to load it again has
   * {@value #MEMORY_ATTEMPTS} attempts at least.
   *
   * @param attempts how often at most
   * @param pause before the second one; twice that before the third
   * @return false if the new model had begun to serve and cannot be stopped, or would have to be
   *     closed at once: it stays
   */
  boolean go(
      @Nullable ManagedModel old, @Nullable ManagedModel dropped, int attempts, Duration pause) {
    if (hasBegun(dropped) && (stepRunner.isHurried() || !actions.retreat())) {
      return false;
    }
    actions.drop(dropped);
    if (old == null) {
      return true;
    }
    for (int attempt = 1; ; attempt++) {
      try {
        restore(old);
        return true;
      } catch (Throwable t) {
        if (StepRunner.mayGoOn(t)) {
          engine.giveUp();
        }
        int most = t instanceof OutOfMemoryError ? Math.max(attempts, MEMORY_ATTEMPTS) : attempts;
        if (attempt >= most || stepRunner.isHurried()) {
          throw t;
        }
        LOG.warn("Attempt {} to bring the old model back failed", attempt, t);
        stepRunner.pause(Nanos.times(pause, 1L << Math.min(attempt - 1, 20)));
      }
    }
  }

  /** Asked of the engine: a step that took too long may have come to its end after all. */
  private boolean hasBegun(@Nullable ManagedModel model) {
    return model != null && model.isLoaded() && engine.hasModel(model.loaded());
  }

  private void restore(ManagedModel old) {
    switch (engine.mode()) {
      case DRAINED -> {
        retry.run(resuming);
        recorder.blackoutEnds();
      }
      case EMPTY -> {
        if (stepRunner.isHurried()) { // its agents are parked, and it would leave at once
          throw new SwapCancelledException(
              "%s is not brought back: the registry is being closed".formatted(old.spec().id()));
        }
        if (!old.isLoaded()) {
          actions.loadAgain(old);
        }
        actions.serveWith(old);
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
