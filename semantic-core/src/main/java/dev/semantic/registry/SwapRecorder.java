package dev.semantic.registry;

import dev.semantic.journal.SwapEntry;
import dev.semantic.journal.SwapJournal;
import dev.semantic.log.Log;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.ReclaimReport;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.PhaseTimeoutException;
import dev.semantic.swap.SwapOutcome;
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

/**
 * What a swap says of itself: to the journal, to those who listen, to the flight recorder, and in
 * the end its report and the exception. Whatever a journal does, the swap goes on: one that fails
 * is logged, and one that hangs is asked no more by this swap.
 */
final class SwapRecorder {
  private static final Log LOG = Log.of(SwapRecorder.class);

  /** A line is short; nobody waits for it in a blackout as he would for a model. */
  private static final Duration JOURNAL_PATIENCE = Duration.ofSeconds(5);

  private final Timeline timeline;
  private final Listeners listeners;
  private final SwapJournal journal;
  private final StepRunner writing;
  private final @Nullable ModelId target;
  private final String id = UUID.randomUUID().toString().substring(0, 8);
  private final Instant started;
  private final Map<SwapPhase, Long> begun = new EnumMap<>(SwapPhase.class);
  private final Map<SwapPhase, Duration> phases = new LinkedHashMap<>();
  private final long start;
  private long blackout;
  private long blackoutSince;
  private boolean dark;
  private boolean interrupted;
  private boolean journalHangs;
  private Optional<ModelSpec> before = Optional.empty();
  private ByteSize activeBefore = ByteSize.ZERO;
  private boolean busy;
  private SwapPhase failedPhase = SwapPhase.PREPARING;
  private @Nullable Throwable failure;
  private @Nullable Throwable rollbackFailure;
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

  /**
   * Nothing has been said yet.
   *
   * @param target null to unload
   * @param patience how long a line of the journal may take, if that is less than is usual
   */
  SwapRecorder(
      SwapExecutor.Tools tools, @Nullable ModelId target, Duration patience, Permit permit) {
    this.timeline = tools.timeline();
    this.listeners = tools.listeners();
    this.journal = tools.journal();
    this.target = target;
    Duration shorter = patience.compareTo(JOURNAL_PATIENCE) < 0 ? patience : JOURNAL_PATIENCE;
    this.writing = new StepRunner(timeline, shorter, permit);
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

  /** How things stood before anything was done. */
  void found(Optional<ModelSpec> serving, ByteSize active, boolean answering) {
    before = serving;
    activeBefore = active;
    busy = answering;
  }

  void begun() {
    SwapEntry entry =
        new SwapEntry(id, started, before.map(ModelSpec::tag), Optional.ofNullable(target));
    write(() -> journal.begun(entry));
  }

  /** What cannot be said keeps no phase from beginning, or ending. */
  void begin(SwapPhase phase) {
    try {
      write(() -> journal.phase(phase)); // before anybody hears of it
      tellBegin(phase);
    } catch (Throwable t) {
      LOG.warn("The beginning of a phase could not be noted down", t);
    }
  }

  void end(SwapPhase phase, boolean failed) {
    try {
      long since = begun.getOrDefault(phase, timeline.nanoTime());
      phases.put(phase, Duration.ofNanos(timeline.nanoTime() - since));
      record(phase, failed);
    } catch (Throwable t) {
      LOG.warn("The end of a phase could not be noted down", t);
    }
  }

  void ended() {
    write(journal::ended);
  }

  private void write(Runnable line) {
    if (journalHangs) {
      return;
    }
    try {
      writing.run("writing the journal", line);
    } catch (PhaseTimeoutException e) {
      journalHangs = true;
      LOG.error("The swap journal hangs; the swap goes on without", e);
    } catch (Throwable t) {
      LOG.error("The swap journal failed; the swap goes on without this line", t);
    }
  }

  private void tellBegin(SwapPhase phase) {
    event = mayBeRecorded() ? new SwapPhaseEvent() : null;
    if (event != null) {
      event.begin();
    }
    current = phase;
    begun.put(phase, timeline.nanoTime());
    listeners.tell(listener -> listener.phase(phase));
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

  /** It is not what was wanted. Can be said again; what is said cannot throw. */
  void failed(SwapPhase phase, Throwable why) {
    failedPhase = phase;
    failure = why;
    LOG.warn("Swap to {} failed while {}", target, phase, why);
  }

  void rollbackFailed(Throwable why) {
    rollbackFailure = why;
    LOG.error("The old model could not be brought back", why);
  }

  /** It came to no end of its own. */
  void brokenOff(SwapPhase phase, Throwable why) {
    LOG.error("A swap to {} was broken off", target, why);
    if (failure == null) {
      failedPhase = phase;
      failure = why;
    }
  }

  SwapPhase failedPhase() {
    return failedPhase;
  }

  @Nullable Throwable failure() {
    return failure;
  }

  @Nullable Throwable rollbackFailure() {
    return rollbackFailure;
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
    return writing.wasInterrupted() || interrupted;
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

  Optional<ReclaimReport> reclaim() {
    return Optional.ofNullable(reclaim);
  }

  SwapReport report(SwapOutcome outcome, @Nullable ModelSpec serving, ByteSize activeAfter) {
    return new SwapReport(
        id,
        started,
        before.map(ModelSpec::id),
        Optional.ofNullable(target),
        outcome,
        Optional.ofNullable(serving).map(ModelSpec::id),
        Optional.ofNullable(plan),
        phases,
        Duration.ofNanos(timeline.nanoTime() - start),
        blackoutUntilNow(),
        activeBefore,
        activeAfter,
        reclaim(),
        parked,
        restored,
        error(),
        busy);
  }

  private Duration blackoutUntilNow() {
    return Duration.ofNanos(blackout + (dark ? timeline.nanoTime() - blackoutSince : 0));
  }

  /** Why it failed, and what failed besides. */
  private Optional<String> error() {
    Optional<String> why = Optional.ofNullable(failure).map(Log::reason);
    Optional<String> besides =
        Optional.ofNullable(whyNotFreed)
            .map(
                t ->
                    "%s could not be unloaded whole, and its memory may not be free: %s"
                        .formatted(notFreed, Log.reason(t)));
    return why.isPresent() && besides.isPresent()
        ? why.map(text -> text + "; besides, " + besides.get())
        : why.or(() -> besides);
  }

  /** What whoever wanted a swap gets if it failed; null if it went well. */
  @SuppressWarnings("ReferenceEquality") // a stranger's exception need not be equal to itself
  @Nullable ModelSwapException exception(SwapReport report, @Nullable ModelSpec serving) {
    Throwable cause = failure;
    if (cause == null) {
      return null;
    }
    Throwable second = rollbackFailure;
    if (second != null && second != cause) {
      cause.addSuppressed(second);
    }
    String goesOn =
        report.serving().map(id -> id + " goes on serving").orElse("no model serves now");
    return new ModelSwapException(
        "%s failed while %s: %s (%s)"
            .formatted(
                report.to().map(id -> "The swap to " + id).orElse("The unload"),
                failedPhase,
                Log.reason(cause),
                goesOn),
        cause,
        failedPhase,
        serving,
        report);
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
