package dev.semantic.registry;

import dev.semantic.generate.EngineMode;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelSpec;
import dev.semantic.store.CacheUsage;
import dev.semantic.store.ParkingStatus;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapReport;
import java.time.Instant;
import java.util.Optional;

/**
 * A registry as it stands.
 *
 * @param activity whether it is swapping, or how the last swap ended
 * @param swap its id, while there is one under way
 * @param phase of the swap under way
 * @param loaded how much of the new model is read ahead or in memory, of {@code toLoad}
 * @param since when this activity began
 * @param serving the model that serves; during a blackout the one that served last
 * @param lastReport of the last swap, load or unload
 * @param engine what the engine is doing
 * @param running requests under way
 * @param waiting requests that have not been begun, or were preempted
 * @param hotAgents agents in memory who are not generating just now
 * @param parking whether caches can be parked, or since when and why not
 * @param caches how full the store is, what it may hold, and how much it has forgotten, as it said
 *     last if it does not come back; empty for one that forgets nothing
 */
public record RegistryStatus(
    Activity activity,
    Optional<String> swap,
    Optional<SwapPhase> phase,
    ByteSize loaded,
    ByteSize toLoad,
    Instant since,
    Optional<ModelSpec> serving,
    Optional<SwapReport> lastReport,
    EngineMode engine,
    int running,
    int waiting,
    int hotAgents,
    ParkingStatus parking,
    Optional<CacheUsage> caches) {
  /** In the words of the outside world: {@code idle | in_progress | success | failed}. */
  public enum Activity {
    IDLE,
    IN_PROGRESS,
    SUCCESS,
    FAILED
  }
}
