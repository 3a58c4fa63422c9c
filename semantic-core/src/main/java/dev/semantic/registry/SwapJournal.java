package dev.semantic.registry;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.ReclaimReport;
import dev.semantic.swap.SwapListener;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapPlan;
import dev.semantic.swap.SwapReport;
import java.time.Duration;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What is noted down while a swap runs, for its report and for those who listen. */
final class SwapJournal {
  private static final Logger LOG = LoggerFactory.getLogger(SwapJournal.class);

  private final List<SwapListener> listeners;
  private final Map<SwapPhase, Long> begun = new EnumMap<>(SwapPhase.class);
  private final Map<SwapPhase, Duration> phases = new LinkedHashMap<>();
  private final long start = System.nanoTime();
  private long blackout;
  private long blackoutSince;
  private boolean dark;
  private boolean interrupted;
  private int parked;
  private int restored;
  private @Nullable SwapPlan plan;
  private @Nullable ReclaimReport reclaim;
  private volatile @Nullable SwapPhase current;
  private volatile long loaded;
  private volatile long toLoad;

  SwapJournal(List<SwapListener> listeners) {
    this.listeners = listeners;
  }

  void begin(SwapPhase phase) {
    current = phase;
    begun.put(phase, System.nanoTime());
    tell(listener -> listener.phase(phase));
  }

  void end(SwapPhase phase) {
    long since = begun.getOrDefault(phase, System.nanoTime());
    phases.put(phase, Duration.ofNanos(System.nanoTime() - since));
  }

  void planned(SwapPlan chosen) {
    plan = chosen;
  }

  void progress(long done, long total) {
    loaded = done;
    toLoad = total;
    tell(listener -> listener.progress(new ByteSize(done), new ByteSize(total)));
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

  void blackoutBegins() {
    dark = true;
    blackoutSince = System.nanoTime();
  }

  void blackoutEnds() {
    if (dark) {
      blackout += System.nanoTime() - blackoutSince;
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
    return Duration.ofNanos(System.nanoTime() - start);
  }

  /** Up to now, if nothing serves yet. */
  Duration blackout() {
    return Duration.ofNanos(blackout + (dark ? System.nanoTime() - blackoutSince : 0));
  }

  void finished(SwapReport report) {
    tell(listener -> listener.finished(report));
  }

  private void tell(Consumer<SwapListener> news) {
    for (SwapListener listener : listeners) {
      try {
        news.accept(listener);
      } catch (Throwable t) {
        LOG.warn("A swap listener failed", t);
      }
    }
  }
}
