package dev.semantic.registry;

import dev.semantic.engine.BatchEngine;
import dev.semantic.generate.ArrivalPolicy;
import dev.semantic.generate.EngineMode;
import dev.semantic.journal.SwapJournal;
import dev.semantic.log.Log;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.store.CacheStore;
import dev.semantic.swap.DrainTimeoutException;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapCancelledException;
import dev.semantic.swap.SwapOutcome;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapPlan;
import dev.semantic.swap.SwapReport;
import dev.semantic.swap.SwapStrategy;
import dev.semantic.timeline.MemoryRetry;
import dev.semantic.timeline.Nanos;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * One swap, forward and back: carries out what {@link SwapMachine} decides. A phase that fails,
 * however it fails, is an event like any other.
 */
final class SwapExecutor {
  private static final Log LOG = Log.of(SwapExecutor.class);

  /** The old model is not lost because somebody else took all of the heap for a moment. */
  private static final int MEMORY_ATTEMPTS = 4;

  // made betimes: what has been done is not undone for want of memory to say so
  private static final SwapEvent REQUESTED = new SwapEvent.Requested();
  private static final SwapEvent DONE = new SwapEvent.Done();
  private static final SwapEvent STAYED = new SwapEvent.RollbackImpossible();
  private static final SwapEvent FAILED = new SwapEvent.PhaseFailed();

  /**
   * What a swap works on.
   *
   * @param serving what serves; set by whoever has the turn
   * @param remembered how many reports at most
   */
  record Tools(
      ModelRuntime runtime,
      BatchEngine engine,
      CacheStore caches,
      Planner planner,
      Timeline timeline,
      SwapJournal journal,
      Listeners listeners,
      ServingState.Current serving,
      int remembered) {
    /** The model that serves; during a blackout the one that served last. */
    Optional<ModelSpec> current() {
      return serving.get().serving(engine);
    }
  }

  private final Tools tools;
  private final SwapOptions options;
  private final SwapRecorder recorder;
  private final Permit permit;
  private final StepRunner stepRunner;
  private final MemoryRetry retry;
  private final SwapActions actions;
  private final @Nullable ModelId target;
  private final @Nullable ManagedModel old;
  private @Nullable ManagedModel candidate;
  private final Runnable judgement = this::judge; // made betimes
  private final Runnable comingBack;
  private final Runnable resuming; // made betimes
  private final Runnable settlement = this::settle; // made betimes: later there may be no memory
  private @Nullable Throwable thrown; // by the last attempt that failed
  private boolean rollingBack; // in that attempt
  private SwapPhase phase = SwapPhase.PREPARING;
  private boolean stays;
  private boolean unchanged;
  private boolean ended;
  private @Nullable Throwable brokenOff; // by what, if it came to no end of its own
  private boolean decided;
  private @Nullable ManagedModel serving; // once that is decided
  private @Nullable SwapReport report;
  private @Nullable ModelSwapException exception;

  /**
   * Nothing is done yet.
   *
   * @param target null to unload
   */
  SwapExecutor(Tools tools, SwapOptions options, Permit permit, @Nullable ModelId target) {
    this.tools = tools;
    this.options = options;
    this.permit = permit;
    this.target = target;
    this.old = tools.serving().get().model();
    this.recorder = new SwapRecorder(tools, target, options.phaseTimeout(), permit);
    this.stepRunner = new StepRunner(tools.timeline(), options.phaseTimeout(), permit);
    this.retry = new MemoryRetry(tools.timeline());
    this.actions = new SwapActions(tools, options, recorder, permit, stepRunner, retry);
    this.comingBack = this::comeBack;
    this.resuming = tools.engine()::resume;
  }

  /** Tells how far it is. */
  SwapRecorder recorder() {
    return recorder;
  }

  /**
   * Exchanges the model, for whoever has the turn.
   *
   * @throws ModelSwapException if it is not what was wanted
   */
  SwapReport run() throws ModelSwapException {
    MDC.put("swap", recorder.id());
    try {
      return exchange();
    } finally {
      MDC.remove("swap");
    }
  }

  private SwapReport exchange() throws ModelSwapException {
    tools.engine().revive();
    ServingState before = tools.serving().get();
    recorder.found(before.serving(tools.engine()), actions.activeBytes(), tools.engine().isBusy());
    tools.serving().set(before.changing(recorder));
    try {
      recorder.begun();
      tools.engine().expect(target, options.arrivals(), before.usualBlackout(target));
      goThrough(before.rest());
    } catch (Throwable t) { // no memory for a minute, or for a call site that stays broken
      brokenOff = t;
      retry.run(comingBack);
    }
    retry.run(settlement);
    SwapReport told = Objects.requireNonNull(report, "not settled");
    recorder.finished(told);
    if (wasInterrupted()) {
      Thread.currentThread().interrupt();
    }
    if (exception != null) {
      throw exception;
    }
    return told;
  }

  /** To the end, good or bad. */
  private void goThrough(SwapState from) {
    SwapState state = after(from, REQUESTED);
    while (!isRest(state)) {
      phase = phaseOf(state);
      recorder.begin(phase);
      SwapEvent event = attempt(state);
      recorder.end(phase, event instanceof SwapEvent.PhaseFailed);
      state = after(state, event);
    }
    ended = true;
    if (swapped() && target != null) {
      actions.letOthersGo();
    }
  }

  /**
   * What is left to do when it has ended, however it has. Goes on where it ran out of memory: what
   * serves is set last, and once.
   */
  private void settle() {
    if (!decided) {
      decide();
      decided = true;
    }
    letGoUnlessItServes(old);
    letGoUnlessItServes(candidate);
    tools.engine().expect(null, ArrivalPolicy.QUEUE, Duration.ZERO); // until the turn is over
    recorder.ended();
    actions.awaitAgents();
    ModelSpec spec = serving == null ? null : serving.spec();
    if (report == null) {
      report = recorder.report(outcome(), spec, actions.activeBytes());
    }
    if (exception == null) {
      exception = recorder.exception(report, spec);
    }
    ServingState now = tools.serving().get();
    tools
        .serving()
        .set(now.ended(report, serving, exception, tools.timeline().now(), tools.remembered()));
  }

  /** Which model it is that came out. */
  private void decide() {
    if (brokenOff != null) {
      recorder.brokenOff(phase, brokenOff);
      stays = candidate != null && serves(candidate);
    }
    if (swapped()) {
      serving = target == null ? null : candidate;
    } else {
      boolean lost = old != null && recorder.rollbackFailure() != null && !serves(old);
      serving = lost ? null : old;
    }
  }

  /** Also one that was not needed, or could not be brought back. */
  private void letGoUnlessItServes(@Nullable ManagedModel model) {
    if (model != null && model != serving) {
      model.letGo(stepRunner);
    }
  }

  private static boolean isRest(SwapState state) {
    return state instanceof SwapState.Empty
        || state instanceof SwapState.Idle
        || state instanceof SwapState.Failed;
  }

  private static SwapPhase phaseOf(SwapState state) {
    if (state instanceof SwapState.Running running) {
      return running.phase();
    }
    return state instanceof SwapState.RollingBack ? SwapPhase.ROLLING_BACK : SwapPhase.PREPARING;
  }

  /** Nothing is given back to the host with an order half carried out for want of memory. */
  private SwapState after(SwapState state, SwapEvent event) {
    for (int tries = 0; ; tries++) {
      try {
        return SwapMachine.next(state, event);
      } catch (OutOfMemoryError e) {
        if (!retry.rest(tries)) {
          throw e;
        }
      }
    }
  }

  private SwapEvent attempt(SwapState state) {
    try {
      return carryOut(state);
    } catch (Throwable t) { // an OutOfMemoryError must not cost the old model
      thrown = t;
    }
    rollingBack = state instanceof SwapState.RollingBack;
    retry.run(judgement); // the way back is not missed for want of memory to judge
    return FAILED;
  }

  private void judge() {
    Throwable t = Objects.requireNonNull(thrown);
    if (StepRunner.mayGoOn(t)) {
      tools.engine().giveUp();
    }
    if (rollingBack) {
      recorder.rollbackFailed(t);
    } else {
      recorder.failed(phase, judged(t));
    }
  }

  /** Whatever ends a swap that was called off, it ends because it was called off. */
  private Throwable judged(Throwable thrown) {
    if (thrown instanceof InterruptedException) {
      recorder.interrupted();
      permit.request("its thread was interrupted");
    }
    if (!permit.isRequested() || thrown instanceof SwapCancelledException) {
      return thrown;
    }
    try {
      permit.check();
      return thrown;
    } catch (SwapCancelledException calledOff) {
      calledOff.addSuppressed(thrown);
      return calledOff;
    }
  }

  private SwapEvent carryOut(SwapState state) throws InterruptedException {
    if (state instanceof SwapState.RollingBack) {
      stays = !goBack();
      return stays ? STAYED : DONE;
    }
    permit.check();
    if (state instanceof SwapState.Running(SwapPhase running, SwapStrategy strategy)) {
      actions.askGuard(running);
      carryOut(running, strategy);
      return DONE;
    }
    actions.askGuard(SwapPhase.PREPARING);
    return prepare();
  }

  private void carryOut(SwapPhase running, SwapStrategy strategy) throws InterruptedException {
    boolean last = strategy.phases().getLast() == running;
    switch (running) {
      case DRAINING -> actions.drain();
      case PARKING -> recorder.parked(actions.park());
      case UNLOADING -> {
        if (last) {
          permit.commit(); // from here on there is no old model to go back to
        }
        actions.unloadOld(Objects.requireNonNull(old), candidate == null ? null : candidate.spec());
      }
      case LOADING -> {
        actions.load(chosen(), strategy == SwapStrategy.MAKE_BEFORE_BREAK);
        actions.awaitText(chosen());
      }
      case ACTIVATING -> {
        if (tools.engine().mode() == EngineMode.DRAINED) {
          actions.shutdown();
        }
        actions.serveWith(chosen());
        if (last) {
          permit.commit();
        }
      }
      case PREPARING, ROLLING_BACK -> throw new AssertionError(running);
    }
  }

  private SwapEvent prepare() {
    ManagedModel next = target == null ? null : actions.prepare(target);
    candidate = next;
    if (next != null) {
      actions.requireChatTemplate(next);
    }
    if (isThereAlready(next)) {
      LOG.info("There is nothing to do: {} serves already", target);
      permit.commit(); // there is nothing left to call off
      unchanged = true;
      return new SwapEvent.Unchanged();
    }
    SwapPlan plan =
        tools.planner().plan(old == null ? null : old.spec(), next == null ? null : next.spec());
    recorder.planned(plan);
    LOG.info("Swap to {}: {} ({})", target, plan.strategy(), plan.reason());
    if (next != null && plan.strategy() == SwapStrategy.BREAK_BEFORE_MAKE) {
      actions.readAhead(next);
      actions.awaitText(next);
    }
    return new SwapEvent.Prepared(plan.strategy());
  }

  /** Whether it serves, with the same files; or nothing does, and nothing is wanted. */
  private boolean isThereAlready(@Nullable ManagedModel next) {
    if (next == null || old == null) {
      return target == null && old == null;
    }
    return !options.reloads() && next.spec().equals(old.spec());
  }

  /**
   * It was broken off between two states: what served serves again, unless the new model does by
   * now, which stays.
   */
  private void comeBack() {
    if (candidate != null && serves(candidate)) {
      return;
    }
    try {
      goBack();
    } catch (OutOfMemoryError e) {
      throw e; // to be done again
    } catch (Throwable t) {
      recorder.rollbackFailed(t);
    }
  }

  /**
   * Puts everything back as it was. If the old model is still in memory it is resumed as soon as
   * there is some heap, and to load it again has {@value #MEMORY_ATTEMPTS} attempts at least.
   *
   * @return false if the new model had begun to serve and cannot be stopped, or would have to be
   *     closed at once: it stays
   */
  private boolean goBack() {
    if (candidate != null
        && serves(candidate) // asked of the engine: a step may have come to its end after all
        && (stepRunner.isHurried() || !actions.retreat())) {
      return false;
    }
    actions.drop(candidate);
    if (old == null) {
      return true;
    }
    for (int attempt = 1; ; attempt++) {
      try {
        restore(old);
        return true;
      } catch (Throwable t) {
        if (StepRunner.mayGoOn(t)) {
          tools.engine().giveUp();
        }
        int asked = options.rollbackAttempts();
        int most = t instanceof OutOfMemoryError ? Math.max(asked, MEMORY_ATTEMPTS) : asked;
        if (attempt >= most || stepRunner.isHurried()) {
          throw t;
        }
        LOG.warn("Attempt {} to bring the old model back failed", attempt, t);
        long doubled = 1L << Math.min(attempt - 1, 20);
        stepRunner.pause(Nanos.times(options.rollbackPause(), doubled));
      }
    }
  }

  private void restore(ManagedModel leaving) {
    switch (tools.engine().mode()) {
      case DRAINED -> {
        retry.run(resuming);
        recorder.blackoutEnds();
      }
      case EMPTY -> {
        if (stepRunner.isHurried()) { // its agents are parked, and it would leave at once
          throw new SwapCancelledException(
              "%s is not brought back: the registry is being closed"
                  .formatted(leaving.spec().id()));
        }
        if (!leaving.isLoaded()) {
          actions.loadAgain(leaving);
        }
        actions.serveWith(leaving);
      }
      case SERVING, DRAINING -> LOG.debug("{} never stopped serving", leaving.spec().id());
      case FAILED -> {
        tools.engine().revive();
        restore(leaving);
      }
      case CLOSED -> throw new IllegalStateException("The engine was closed during a swap");
    }
  }

  private ManagedModel chosen() {
    return Objects.requireNonNull(candidate, "a phase ran before PREPARING");
  }

  /** Asked of the engine, which knows what it steps. */
  private boolean serves(ManagedModel model) {
    return model.isLoaded() && tools.engine().hasModel(model.loaded());
  }

  /** Whether the target is what serves now, or nothing if nothing was wanted. */
  private boolean swapped() {
    return (recorder.failure() == null && ended && !unchanged) || stays;
  }

  /** What it came to. */
  private SwapOutcome outcome() {
    if (swapped()) {
      return SwapOutcome.SWAPPED; // it may have failed, but could not be stopped any more
    }
    Throwable failure = recorder.failure();
    if (failure == null) {
      return SwapOutcome.UNCHANGED;
    }
    if (recorder.rollbackFailure() != null) {
      return SwapOutcome.FAILED;
    }
    if (failure instanceof SwapCancelledException) {
      return SwapOutcome.CANCELLED;
    }
    boolean untouched =
        recorder.failedPhase() == SwapPhase.PREPARING || failure instanceof DrainTimeoutException;
    return untouched ? SwapOutcome.REFUSED : SwapOutcome.ROLLED_BACK;
  }

  /** Whether the swapping thread was interrupted, whatever it was doing; it is not any more. */
  private boolean wasInterrupted() {
    return stepRunner.wasInterrupted() || recorder.wasInterrupted();
  }
}
