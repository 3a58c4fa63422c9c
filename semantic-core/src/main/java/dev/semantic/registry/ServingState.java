package dev.semantic.registry;

import dev.semantic.engine.BatchEngine;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.RegistryStatus.Activity;
import dev.semantic.store.CacheUsage;
import dev.semantic.swap.SwapOutcome;
import dev.semantic.swap.SwapReport;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How the changing of the model stands. Every change of it is a new one, so that whoever looks
 * never sees half of the old and half of the new.
 *
 * @param since when this activity began
 * @param underWay the swap, while there is one
 * @param last the model that served when it began, or came out of the one before
 * @param report of the last that ended
 */
record ServingState(
    Activity activity,
    Instant since,
    @Nullable SwapRecorder underWay,
    @Nullable ModelSpec last,
    @Nullable SwapReport report) {
  static ServingState atFirst(Instant now) {
    return new ServingState(Activity.IDLE, now, null, null, null);
  }

  ServingState changing(SwapRecorder recorder) {
    return new ServingState(Activity.IN_PROGRESS, recorder.started(), recorder, last, report);
  }

  ServingState ended(SwapReport with, @Nullable ModelSpec serving, Instant now) {
    boolean swapped =
        with.outcome() == SwapOutcome.SWAPPED || with.outcome() == SwapOutcome.UNCHANGED;
    return new ServingState(swapped ? Activity.SUCCESS : Activity.FAILED, now, null, serving, with);
  }

  ServingState vacated() {
    return new ServingState(activity, since, underWay, null, report);
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
        engine.serving().or(() -> Optional.ofNullable(last)),
        Optional.ofNullable(report),
        engine.mode(),
        engine.running(),
        engine.queued(),
        engine.hotAgents(),
        engine.parking(),
        caches);
  }
}
