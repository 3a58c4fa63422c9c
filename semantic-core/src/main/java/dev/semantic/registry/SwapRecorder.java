package dev.semantic.registry;

import dev.semantic.log.Log;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.ReclaimReport;
import dev.semantic.model.ModelId;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapPlan;
import dev.semantic.swap.SwapReport;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import jdk.jfr.FlightRecorder;
import org.jspecify.annotations.Nullable;

/** What is noted down while a swap runs, for its report and for those who listen. */
final class SwapRecorder {
  private static final Log LOG = Log.of(SwapRecorder.class);

  private final Timeline timeline;
  private final Listeners listeners;
  private final String id = UUID.randomUUID().toString().substring(0, 8);
  private final Instant started;
  private final Map<SwapPhase, Long> begun = new EnumMap<>(SwapPhase.class);
  private final Map<SwapPhase, Duration> phases = new LinkedHashMap<>();
  private final long start;
  private long blackout;
  private long blackoutSince;
  private boolean dark;
  private boolean interrupted;
  private boolean busy;
  private @Nullable ModelId notFreed;
  private @Nullable Throwable whyNotFreed;
  private int parked;
  private int restored;
  private @Nullable SwapPlan plan;
  private @Nullable ReclaimReport reclaim;
  private @Nullable SwapPhaseEvent event;
  private final @Nullable SwapFinishedEvent whole;
  private volatile @Nullable SwapPhase current;
  private volatile long loaded;
  private volatile long toLoad;

  SwapRecorder(Timeline timeline, Listeners listeners) {
    this.timeline = timeline;
    this.listeners = listeners;
    this.started = timeline.now();
    this.start = timeline.nanoTime();
    this.whole = mayBeRecorded() ? new SwapFinishedEvent() : null;
    if (whole != null) {
      whole.begin();
    }
  }

  /** To load the flight recorder for events that nobody records takes as long as a swap may. */
  private static boolean mayBeRecorded() {
    return FlightRecorder.isInitialized();
  }

  String id() {
    return id;
  }

  Instant started() {
    return started;
  }

  void begin(SwapPhase phase) {
    event = mayBeRecorded() ? new SwapPhaseEvent() : null;
    if (event != null) {
      event.begin();
    }
    current = phase;
    begun.put(phase, timeline.nanoTime());
    listeners.tell(listener -> listener.phase(phase));
  }

  void end(SwapPhase phase, boolean failed) {
    long since = begun.getOrDefault(phase, timeline.nanoTime());
    phases.put(phase, Duration.ofNanos(timeline.nanoTime() - since));
    record(phase, failed);
  }

  private void record(SwapPhase phase, boolean failed) {
    SwapPhaseEvent recorded = event;
    if (recorded == null) {
      return;
    }
    recorded.swap = id;
    recorded.phase = phase.name();
    recorded.bytes =
        switch (phase) {
          case PREPARING, LOADING -> loaded;
          case UNLOADING -> reclaim == null ? 0 : reclaim.reclaimed().bytes();
          default -> 0;
        };
    recorded.agents =
        switch (phase) {
          case PARKING -> parked;
          default -> 0;
        };
    recorded.failed = failed;
    recorded.commit();
  }

  void planned(SwapPlan chosen) {
    plan = chosen;
    listeners.tell(listener -> listener.planned(chosen));
  }

  /** On the thread that loads, which nothing that is thrown here may stop. */
  void progress(long done, long total) {
    loaded = done;
    toLoad = total;
    try {
      listeners.tell(listener -> listener.progress(new ByteSize(done), new ByteSize(total)));
    } catch (Throwable t) {
      LOG.warn("Nobody could be told how far the load is", t);
    }
  }

  void parked(int agents) {
    parked = agents;
  }

  void restored(int agents) {
    restored = agents;
  }

  void reclaimed(ReclaimReport report) {
    reclaim = report;
  }

  /** A model that was to leave may still be there. Put into words when there is memory for it. */
  void notFreed(ModelId model, Throwable why) {
    notFreed = model;
    whyNotFreed = why;
  }

  void busy(boolean served) {
    busy = served;
  }

  boolean busy() {
    return busy;
  }

  Optional<String> notFreed() {
    Throwable why = whyNotFreed;
    return why == null
        ? Optional.empty()
        : Optional.of(
            "%s could not be unloaded whole, and its memory may not be free: %s"
                .formatted(notFreed, Log.reason(why)));
  }

  void blackoutBegins() {
    dark = true;
    blackoutSince = timeline.nanoTime();
  }

  void blackoutEnds() {
    if (dark) {
      blackout += timeline.nanoTime() - blackoutSince;
      dark = false;
    }
  }

  void interrupted() {
    interrupted = true;
  }

  boolean wasInterrupted() {
    return interrupted;
  }

  @Nullable SwapPhase current() {
    return current;
  }

  ByteSize loaded() {
    return new ByteSize(loaded);
  }

  ByteSize toLoad() {
    return new ByteSize(toLoad);
  }

  int parkedAgents() {
    return parked;
  }

  int restoredAgents() {
    return restored;
  }

  Optional<SwapPlan> plan() {
    return Optional.ofNullable(plan);
  }

  Optional<ReclaimReport> reclaim() {
    return Optional.ofNullable(reclaim);
  }

  Map<SwapPhase, Duration> phases() {
    return phases;
  }

  Duration total() {
    return Duration.ofNanos(timeline.nanoTime() - start);
  }

  /** Up to now, if nothing serves yet. */
  Duration blackout() {
    return Duration.ofNanos(blackout + (dark ? timeline.nanoTime() - blackoutSince : 0));
  }

  void finished(SwapReport report) {
    if (whole != null) {
      whole.swap = id;
      whole.from = report.from().map(ModelId::name).orElse(null);
      whole.to = report.to().map(ModelId::name).orElse(null);
      whole.serving = report.serving().map(ModelId::name).orElse(null);
      whole.outcome = report.outcome().name();
      whole.blackout = report.blackout().toNanos();
      whole.reclaimed = report.reclaim().map(r -> r.reclaimed().bytes()).orElse(0L);
      whole.agentsParked = report.agentsParked();
      whole.agentsRestored = report.agentsRestored();
      whole.commit();
    }
    listeners.tell(listener -> listener.finished(report));
  }
}
