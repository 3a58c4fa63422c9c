package dev.semantic.swap;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.ReclaimReport;
import dev.semantic.model.ModelId;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What a swap did and what it took. Holds figures and names only, never a model.
 *
 * @param id the same in logs, events and the journal
 * @param started when it was asked for
 * @param from what served before
 * @param to what was wanted; empty for an unload
 * @param serving what serves now
 * @param plan empty if it was refused before there was one, or nothing was to be done
 * @param phases time of each phase, in the order in which they ran
 * @param total from call to return
 * @param blackout how long no model could serve
 * @param activeBefore active bytes of the runtime before the swap; zero if it could not tell
 * @param activeAfter the same after it
 * @param reclaim what unloading the old model gave back, and what it left; empty if none was
 *     unloaded
 * @param agentsParked caches written to the store
 * @param agentsRestored caches of agents that are back in memory with the model that serves now:
 *     brought back behind it, or with a request of theirs, until the report was made; others come
 *     back with their next request
 * @param error why it was not swapped, or what could not be done although it was: memory of the old
 *     model that could not be freed
 * @param busy whether requests were being answered when it began, as far as that could be told
 */
public record SwapReport(
    String id,
    Instant started,
    Optional<ModelId> from,
    Optional<ModelId> to,
    SwapOutcome outcome,
    Optional<ModelId> serving,
    Optional<SwapPlan> plan,
    Map<SwapPhase, Duration> phases,
    Duration total,
    Duration blackout,
    ByteSize activeBefore,
    ByteSize activeAfter,
    Optional<ReclaimReport> reclaim,
    int agentsParked,
    int agentsRestored,
    Optional<String> error,
    boolean busy) {
  public SwapReport {
    phases = Collections.unmodifiableMap(new LinkedHashMap<>(phases));
  }
}
