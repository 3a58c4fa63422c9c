package dev.semantic.registry;

import dev.semantic.engine.BatchEngine;
import dev.semantic.engine.EngineMode;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.memory.ReclaimReport;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.swap.DrainTimeoutException;
import dev.semantic.swap.SwapEvent;
import dev.semantic.swap.SwapMachine;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapPlan;
import dev.semantic.swap.SwapState;
import dev.semantic.swap.SwapStrategy;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One swap: the hands that carry out what {@link SwapMachine} decides. A phase that fails, however
 * it fails, is an event like any other.
 */
final class SwapExecution {
  private static final Logger LOG = LoggerFactory.getLogger(SwapExecution.class);

  /** What a swap works on. */
  record Tools(
      ModelRuntime runtime, BatchEngine engine, MemoryBudget budget, ByteSize cacheBytes) {}

  private final Tools tools;
  private final SwapOptions options;
  private final SwapJournal journal;
  private final @Nullable ModelId target;
  private final @Nullable Resident old;
  private @Nullable Resident candidate;
  private @Nullable Throwable failure;
  private @Nullable Throwable rollbackFailure;
  private SwapPhase phase = SwapPhase.PREPARING;
  private SwapPhase failedPhase = SwapPhase.PREPARING;

  /**
   * Nothing is done yet.
   *
   * @param target null to unload
   * @param old what serves; null if nothing does
   */
  SwapExecution(
      Tools tools,
      SwapOptions options,
      SwapJournal journal,
      @Nullable ModelId target,
      @Nullable Resident old) {
    this.tools = tools;
    this.options = options;
    this.journal = journal;
    this.target = target;
    this.old = old;
  }

  /** Runs to the end, good or bad, and returns the state that was reached. */
  SwapState run(SwapState from) {
    SwapState state = SwapMachine.next(from, new SwapEvent.Requested());
    while (!isRest(state)) {
      phase = phaseOf(state);
      journal.begin(phase);
      SwapEvent event = attempt(state);
      journal.end(phase);
      state = SwapMachine.next(state, event);
    }
    return state;
  }

  private static boolean isRest(SwapState state) {
    return switch (state) {
      case SwapState.Empty() -> true;
      case SwapState.Idle() -> true;
      case SwapState.Failed() -> true;
      case SwapState.Preparing(boolean serving) -> false;
      case SwapState.Running(SwapPhase phase, SwapStrategy strategy) -> false;
      case SwapState.RollingBack(SwapPhase failed, SwapStrategy strategy) -> false;
    };
  }

  private static SwapPhase phaseOf(SwapState state) {
    return switch (state) {
      case SwapState.Running running -> running.phase();
      case SwapState.RollingBack rolling -> SwapPhase.ROLLING_BACK;
      default -> SwapPhase.PREPARING;
    };
  }

  private SwapEvent attempt(SwapState state) {
    try {
      return carryOut(state);
    } catch (Throwable t) { // an OutOfMemoryError must not cost the old model
      if (t instanceof InterruptedException) {
        journal.interrupted();
      }
      if (state instanceof SwapState.RollingBack) {
        rollbackFailure = t;
        LOG.error("The old model could not be brought back", t);
      } else {
        failure = t;
        failedPhase = phase;
        LOG.warn("Swap to {} failed while {}", target, phase, t);
      }
      return new SwapEvent.PhaseFailed();
    }
  }

  private SwapEvent carryOut(SwapState state) throws InterruptedException {
    if (state instanceof SwapState.Preparing) {
      return new SwapEvent.Prepared(prepare().strategy());
    }
    if (state instanceof SwapState.RollingBack) {
      rollBackUndisturbed();
      return new SwapEvent.Done();
    }
    switch (phase) {
      case DRAINING -> drain();
      case PARKING -> journal.parked(tools.engine().parkAgents());
      case UNLOADING -> unloadOld();
      case LOADING -> load(chosen());
      case ACTIVATING -> activate();
      case PREPARING, ROLLING_BACK -> throw new AssertionError(phase);
    }
    return new SwapEvent.Done();
  }

  private SwapPlan prepare() {
    SwapPlan plan;
    if (target == null) {
      plan = new SwapPlan(SwapStrategy.UNLOAD, "nothing takes its place");
    } else {
      Resident next = new Resident(tools.runtime().prepare(target));
      candidate = next;
      plan = plan(next);
    }
    journal.planned(plan);
    LOG.info("Swap to {}: {} ({})", target, plan.strategy(), plan.reason());
    return plan;
  }

  private SwapPlan plan(Resident next) {
    ByteSize weights = next.spec().weightSize();
    MemoryBudget budget = tools.budget();
    if (!budget.holds(weights, tools.cacheBytes())) {
      throw new ModelException(
          "%s needs %s for its weights and %s for caches, more than the budget of %s; raise the budget, or make the cache smaller"
              .formatted(next.spec().id(), weights, tools.cacheBytes(), budget.total()));
    }
    if (old == null) {
      return new SwapPlan(SwapStrategy.LOAD, weights + " of weights, nothing serves yet");
    }
    ByteSize present = old.spec().weightSize();
    boolean both = budget.holds(weights, present, tools.cacheBytes());
    String sizes =
        "%s + %s of weights, %s of caches and a budget of %s"
            .formatted(present, weights, tools.cacheBytes(), budget.total());
    return both
        ? new SwapPlan(SwapStrategy.MAKE_BEFORE_BREAK, "both fit: " + sizes)
        : new SwapPlan(SwapStrategy.BREAK_BEFORE_MAKE, "only one fits: " + sizes);
  }

  private void drain() throws InterruptedException {
    int left = tools.engine().drain(options.drainTimeout());
    if (left > 0) {
      throw new DrainTimeoutException(
          "%d requests were still running after %s; they go on with the old model"
              .formatted(left, options.drainTimeout()));
    }
    journal.blackoutBegins();
  }

  private void load(Resident resident) {
    long before = tools.runtime().memory().activeBytes();
    LoadedModel loaded = resident.prepared().load(journal::progress);
    resident.setLoaded(loaded); // first of all, so that it can be unloaded whatever comes
    long after = tools.runtime().memory().activeBytes();
    resident.setSize(new ByteSize(Math.max(0, after - before)));
  }

  private void activate() {
    if (tools.engine().mode() == EngineMode.DRAINED) {
      tools.engine().shutdown();
    }
    serveWith(chosen());
  }

  private void serveWith(Resident resident) {
    int restored = tools.engine().reinitialize(resident.loaded(), resident.prepared().text());
    journal.blackoutEnds();
    journal.restored(restored);
  }

  /** After a make-before-break the new model serves already, and goes on whatever happens here. */
  private void unloadOld() {
    Resident leaving = java.util.Objects.requireNonNull(old);
    if (tools.engine().mode() == EngineMode.SERVING) {
      try {
        unload(leaving);
      } catch (Throwable t) {
        LOG.error(
            "{} could not be unloaded whole; its memory may not be free", leaving.spec().id(), t);
      }
      return;
    }
    tools.engine().shutdown();
    unload(leaving);
  }

  private void unload(Resident leaving) {
    long before = tools.runtime().memory().activeBytes();
    leaving.unload();
    tools.runtime().memory().releaseCached();
    long after = tools.runtime().memory().activeBytes();
    journal.reclaimed(new ReclaimReport(new ByteSize(before), new ByteSize(after), leaving.size()));
  }

  /** An interrupt ends a swap, never the way back: it is kept for the caller. */
  private void rollBackUndisturbed() {
    for (int tries = 1; ; tries++) {
      noteInterrupt();
      try {
        rollBack();
        return;
      } catch (Throwable t) {
        if (!Thread.currentThread().isInterrupted() || tries == 3) {
          throw t;
        }
        LOG.info("Interrupted while bringing the old model back; trying again");
      }
    }
  }

  private void noteInterrupt() {
    if (Thread.interrupted()) {
      journal.interrupted();
    }
  }

  private void rollBack() {
    dropCandidate();
    if (old == null) {
      return;
    }
    switch (tools.engine().mode()) {
      case DRAINED -> {
        tools.engine().resume();
        journal.blackoutEnds();
      }
      case EMPTY -> {
        if (!old.isLoaded()) {
          load(old);
        }
        serveWith(old);
      }
      case SERVING, DRAINING -> LOG.debug("{} never stopped serving", old.spec().id());
      case CLOSED -> throw new IllegalStateException("The engine was closed during a swap");
    }
  }

  private void dropCandidate() {
    try {
      if (candidate != null) {
        candidate.unload();
      }
      tools.runtime().memory().releaseCached();
    } catch (Throwable t) {
      LOG.error("{} could not be unloaded whole; its memory may not be free", target, t);
    }
  }

  private Resident chosen() {
    return java.util.Objects.requireNonNull(candidate, "a phase ran before PREPARING");
  }

  @Nullable Resident candidate() {
    return candidate;
  }

  @Nullable Throwable failure() {
    return failure;
  }

  @Nullable Throwable rollbackFailure() {
    return rollbackFailure;
  }

  SwapPhase failedPhase() {
    return failedPhase;
  }
}
