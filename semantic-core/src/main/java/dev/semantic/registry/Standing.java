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
record Standing(
    Activity activity,
    Instant since,
    @Nullable SwapNotes underWay,
    @Nullable ModelSpec last,
    @Nullable SwapReport report) {
  static Standing atFirst(Instant now) {
    return new Standing(Activity.IDLE, now, null, null, null);
  }

  Standing changing(SwapNotes notes) {
    return new Standing(Activity.IN_PROGRESS, notes.started(), notes, last, report);
  }

  Standing ended(SwapReport with, @Nullable ModelSpec serving, Instant now) {
    boolean swapped =
        with.outcome() == SwapOutcome.SWAPPED || with.outcome() == SwapOutcome.UNCHANGED;
    return new Standing(swapped ? Activity.SUCCESS : Activity.FAILED, now, null, serving, with);
  }

  Standing vacated() {
    return new Standing(activity, since, underWay, null, report);
  }

  RegistryStatus status(BatchEngine engine, Optional<CacheUsage> caches) {
    Optional<SwapNotes> notes = Optional.ofNullable(underWay);
    return new RegistryStatus(
        activity,
        notes.map(SwapNotes::id),
        notes.map(SwapNotes::current),
        notes.map(SwapNotes::loaded).orElse(ByteSize.ZERO),
        notes.map(SwapNotes::toLoad).orElse(ByteSize.ZERO),
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
