package dev.semantic.registry;

import dev.semantic.engine.ArrivalPolicy;
import dev.semantic.log.Log;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.store.CacheUsage;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapListener;
import dev.semantic.swap.SwapOutcome;
import dev.semantic.swap.SwapReport;
import dev.semantic.swap.SwapState;
import dev.semantic.timeline.LastKnown;
import dev.semantic.timeline.MemoryRetry;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/** Which model lives here. Changed by whoever has the turn; how it stands, anybody may read. */
final class Residence {
  private static final Log LOG = Log.of(Residence.class);
  private static final Duration BLACKOUT_UNLESS_KNOWN = Duration.ofSeconds(1);

  private final SwapExecutor.Tools tools;
  private final Listeners listeners;
  private final SwapHistory history;

  private final LastKnown<Optional<CacheUsage>> usage;

  private SwapState state = new SwapState.Empty();
  private @Nullable ManagedModel managed;
  private volatile ServingState servingState;

  Residence(SwapExecutor.Tools tools, List<SwapListener> listeners, SwapHistory history) {
    this.tools = tools;
    this.listeners = new Listeners(tools.timeline(), listeners);
    this.history = history;
    this.usage =
        new LastKnown<>(
            tools.timeline(), "semantic-store-usage", tools.caches()::usage, Optional.empty());
    this.servingState = ServingState.atFirst(tools.timeline().now());
  }

  /** The model that serves; during a blackout the one that served last. */
  Optional<ModelSpec> serving() {
    return tools.engine().serving().or(() -> Optional.ofNullable(servingState.last()));
  }

  /** Looks again if a swap has begun or ended meanwhile: what is told was true at one moment. */
  @SuppressWarnings("ReferenceEquality") // every change of it is another one
  RegistryStatus status() {
    Optional<CacheUsage> caches = usage.get();
    while (true) {
      ServingState now = servingState;
      RegistryStatus status = now.status(tools.engine(), caches);
      if (now == servingState) {
        return status;
      }
    }
  }

  /** Exchanges the model, for whoever has the turn. */
  SwapReport change(@Nullable ModelId target, SwapOptions options, Cancellation cancellation)
      throws ModelSwapException {
    SwapRecorder recorder =
        new SwapRecorder(
            tools.timeline(),
            listeners,
            tools.journal(),
            target,
            options.phaseTimeout(),
            cancellation);
    MDC.put("swap", recorder.id());
    try {
      return change(target, options, cancellation, recorder);
    } finally {
      MDC.remove("swap");
    }
  }

  private SwapReport change(
      @Nullable ModelId target,
      SwapOptions options,
      Cancellation cancellation,
      SwapRecorder recorder)
      throws ModelSwapException {
    tools.engine().revive();
    Optional<ModelSpec> before = serving();
    SwapExecutor swap = new SwapExecutor(tools, options, recorder, cancellation, target, managed);
    recorder.found(before, activeBytes(swap.stepRunner()), tools.engine().isBusy());
    // made betimes: when the swap has ended there may be no memory for it
    Settlement settlement = new Settlement(swap, recorder, target);
    MemoryRetry retry = new MemoryRetry(tools.timeline());
    servingState = servingState.changing(recorder);
    try {
      recorder.begun();
      tools.engine().expect(target, options.arrivals(), retryAfter(target));
      state = swap.run(state);
    } catch (Throwable t) { // a defect of ours, or no memory for a minute
      settlement.brokenOff = t;
    }
    retry.run(settlement);
    SwapReport report = settlement.report();
    recorder.finished(report);
    if (swap.wasInterrupted()) {
      Thread.currentThread().interrupt();
    }
    ModelSwapException failure = recorder.exception(report, residing());
    if (failure != null) {
      throw failure;
    }
    return report;
  }

  /**
   * What is left to do when a swap has ended, however it has. Goes on where it ran out of memory.
   */
  private final class Settlement implements Runnable {
    private final SwapExecutor swap;
    private final SwapRecorder recorder;
    private final @Nullable ModelId target;
    private @Nullable Throwable brokenOff; // by what, if it came to no end of its own
    private boolean decided;
    private @Nullable ManagedModel broken;
    private @Nullable ManagedModel leaving;
    private @Nullable SwapReport report;

    private Settlement(SwapExecutor swap, SwapRecorder recorder, @Nullable ModelId target) {
      this.swap = swap;
      this.recorder = recorder;
      this.target = target;
    }

    SwapReport report() {
      return Objects.requireNonNull(report, "not settled");
    }

    @Override
    public void run() {
      if (!decided) {
        decide();
        decided = true;
      }
      letGo(broken, swap.stepRunner());
      letGo(leaving, swap.stepRunner());
      tools.engine().expect(null, ArrivalPolicy.QUEUE, Duration.ZERO); // until the turn is over
      recorder.ended();
      swap.awaitAgents();
      SwapReport made = recorder.report(swap.outcome(), residing(), activeBytes(swap.stepRunner()));
      servingState = servingState.ended(made, residing(), tools.timeline().now());
      history.add(made); // last: once only
      report = made;
    }

    /** Takes over the model that came out, and lets go of the other's files. */
    private void decide() {
      if (brokenOff != null) {
        swap.brokenOff(brokenOff);
      }
      ManagedModel candidate = swap.candidate();
      if (swap.swapped()) {
        leaving = managed;
        managed = target == null ? null : candidate;
      } else {
        leaving = candidate; // also one that was not needed
        if (managed != null && recorder.rollbackFailure() != null && !swap.serves(managed)) {
          broken = managed; // it could not be brought back
          managed = null;
        }
      }
    }
  }

  private @Nullable ModelSpec residing() {
    return managed == null ? null : managed.spec();
  }

  /** The blackout that swaps to this model had before. */
  private Duration retryAfter(@Nullable ModelId target) {
    return history.all().reversed().stream()
        .filter(past -> past.to().equals(Optional.ofNullable(target)))
        .filter(past -> past.outcome() == SwapOutcome.SWAPPED)
        .map(SwapReport::blackout)
        .findFirst()
        .orElse(BLACKOUT_UNLESS_KNOWN);
  }

  /** Nobody lives here any more. Done again where there was no memory for it. */
  void vacate(StepRunner stepRunner) {
    letGo(managed, stepRunner);
    servingState = servingState.vacated();
    managed = null;
    try {
      stepRunner.run("giving memory back", () -> tools.runtime().memory().releaseCached());
    } catch (Throwable t) {
      LOG.warn("Memory could not be given back", t);
    }
  }

  /** Nobody lives here any more, but what does not come back is not taken from under its feet. */
  void abandon() {
    servingState = servingState.vacated();
    ManagedModel left = managed;
    managed = null;
    if (left != null) {
      LOG.error(
          "{} stays in memory: a call of it or of the store has not come back", left.spec().id());
    }
  }

  /** Closes a model's files, and what may still be loaded of it. */
  private static void letGo(@Nullable ManagedModel leaving, StepRunner stepRunner) {
    if (leaving != null) {
      attempt(stepRunner, "unloading " + leaving.spec().id(), leaving::unload);
      attempt(stepRunner, "closing the files of " + leaving.spec().id(), leaving::closeFiles);
    }
  }

  /**
   * For what must not keep the rest from being done.
   *
   * @throws OutOfMemoryError if it may not have been begun for want of memory
   */
  private static void attempt(StepRunner stepRunner, String what, Runnable action) {
    try {
      stepRunner.run(what, action);
    } catch (OutOfMemoryError e) {
      throw e;
    } catch (Throwable t) {
      LOG.warn("Failed while {}", what, t);
    }
  }

  /** Zero if the runtime cannot tell: a figure in a report is not worth a swap. */
  private ByteSize activeBytes(StepRunner stepRunner) {
    try {
      return new ByteSize(
          stepRunner.call(
              "looking at memory", () -> tools.runtime().memory().activeBytes(), l -> {}));
    } catch (Throwable t) {
      LOG.warn("The runtime cannot tell how much memory is active", t);
      return ByteSize.ZERO;
    }
  }
}
