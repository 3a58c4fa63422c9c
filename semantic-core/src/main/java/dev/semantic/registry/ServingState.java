package dev.semantic.registry;

import dev.semantic.engine.BatchEngine;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.RegistryStatus.Activity;
import dev.semantic.store.CacheUsage;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapOutcome;
import dev.semantic.swap.SwapReport;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What serves, what sleeps, and how the changing of it stands. Every change is a new value, made by
 * whoever may change the model, so that whoever looks never sees half of the old and half of the
 * new.
 *
 * @param activity whether there is a swap, or how the last one ended
 * @param since when this activity began
 * @param underWay the swap, while there is one
 * @param model the one that served when it began, or came out of the one before
 * @param asleep the model that leaves or has left because nobody asked it anything, and comes back
 *     when somebody does
 * @param failure of the last swap, if it failed
 * @param history the last reports, oldest first
 */
record ServingState(
    Activity activity,
    Instant since,
    @Nullable SwapRecorder underWay,
    @Nullable ManagedModel model,
    @Nullable ModelId asleep,
    @Nullable ModelSwapException failure,
    List<SwapReport> history) {
  private static final Duration BLACKOUT_UNLESS_KNOWN = Duration.ofSeconds(1);

  /** The one that holds now. Read by anybody, set by whoever may change the model. */
  static final class Current {
    private volatile ServingState state;

    Current(Instant now) {
      state = atFirst(now);
    }

    ServingState get() {
      return state;
    }

    void set(ServingState next) {
      state = next;
    }
  }

  private static ServingState atFirst(Instant now) {
    return new ServingState(Activity.IDLE, now, null, null, null, null, List.of());
  }

  ServingState changing(SwapRecorder recorder) {
    return new ServingState(
        Activity.IN_PROGRESS, recorder.started(), recorder, model, asleep, failure, history);
  }

  /**
   * A swap has ended.
   *
   * @param serving what came out of it
   * @param why it failed; null if it did not
   * @param remembered how many reports at most
   */
  ServingState ended(
      SwapReport report,
      @Nullable ManagedModel serving,
      @Nullable ModelSwapException why,
      Instant now,
      int remembered) {
    boolean swapped =
        report.outcome() == SwapOutcome.SWAPPED || report.outcome() == SwapOutcome.UNCHANGED;
    return new ServingState(
        swapped ? Activity.SUCCESS : Activity.FAILED,
        now,
        null,
        serving,
        serving == null && (!swapped || hasGoneToSleep(report)) ? asleep : null,
        why,
        Stream.concat(history.stream(), Stream.of(report))
            .skip(Math.max(0, history.size() + 1 - remembered))
            .toList());
  }

  /** Whether it is the model that is to come back that left with this swap. */
  private boolean hasGoneToSleep(SwapReport report) {
    return asleep != null && report.from().filter(asleep::equals).isPresent();
  }

  /** It is about to leave, and comes back when somebody asks. */
  ServingState fallingAsleep(ModelId leaving) {
    return new ServingState(activity, since, underWay, model, leaving, failure, history);
  }

  ServingState awake() {
    return new ServingState(activity, since, underWay, model, null, failure, history);
  }

  /** Nothing serves any more, for good. */
  ServingState vacated() {
    return new ServingState(activity, since, underWay, null, null, failure, history);
  }

  /** Where a swap that begins now begins. */
  SwapState rest() {
    return model == null ? new SwapState.Empty() : new SwapState.Idle();
  }

  /** The model that serves; during a blackout the one that served last. */
  Optional<ModelSpec> serving(BatchEngine engine) {
    return engine.serving().or(() -> Optional.ofNullable(model).map(ManagedModel::spec));
  }

  /** The blackout that swaps to a model had before. */
  Duration usualBlackout(@Nullable ModelId target) {
    return history.reversed().stream()
        .filter(past -> past.to().equals(Optional.ofNullable(target)))
        .filter(past -> past.outcome() == SwapOutcome.SWAPPED)
        .map(SwapReport::blackout)
        .findFirst()
        .orElse(BLACKOUT_UNLESS_KNOWN);
  }

  RegistryStatus status(BatchEngine engine, Optional<CacheUsage> caches) {
    Optional<SwapRecorder> notes = Optional.ofNullable(underWay);
    return new RegistryStatus(
        activity,
        notes.map(SwapRecorder::id),
        notes.map(SwapRecorder::current),
        notes.map(SwapRecorder::loaded).orElse(ByteSize.ZERO),
        notes.map(SwapRecorder::toLoad).orElse(ByteSize.ZERO),
        since,
        serving(engine),
        history.isEmpty() ? Optional.empty() : Optional.of(history.getLast()),
        engine.mode(),
        engine.running(),
        engine.queued(),
        engine.hotAgents(),
        engine.parking(),
        caches);
  }
}
