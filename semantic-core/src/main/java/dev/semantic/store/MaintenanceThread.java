package dev.semantic.store;

import dev.semantic.log.Log;
import dev.semantic.timeline.Monitor;
import dev.semantic.timeline.ThreadFrame;
import dev.semantic.timeline.Timeline;
import java.time.Duration;

/** The thread that looks at the limits, after somebody was parked and every now and then. */
final class MaintenanceThread implements ThreadFrame.Rounds {
  private static final Log LOG = Log.of(MaintenanceThread.class);
  private static final long EVERY = Duration.ofMinutes(10).toNanos();
  private static final long APART = Duration.ofSeconds(5).toNanos();

  private final Timeline timeline;
  private final CacheMaintenance maintenance;
  private final Monitor monitor;
  private boolean wanted = true;
  private boolean closed;

  private MaintenanceThread(Timeline timeline, CacheMaintenance maintenance) {
    this.timeline = timeline;
    this.maintenance = maintenance;
    this.monitor = timeline.monitor();
  }

  static MaintenanceThread start(Timeline timeline, CacheMaintenance maintenance) {
    MaintenanceThread maintenanceThread = new MaintenanceThread(timeline, maintenance);
    ThreadFrame.rounds(timeline, "semantic-maintenance", maintenanceThread);
    return maintenanceThread;
  }

  /** Something was parked. Never waits. */
  void nudge() {
    monitor.holding(
        () -> {
          wanted = true;
          monitor.signalAll();
        });
  }

  void close() {
    monitor.holding(
        () -> {
          closed = true;
          monitor.signalAll();
        });
  }

  @Override
  public boolean round() {
    boolean due = awaitRound();
    if (due && maintenance.run().caches() >= EvictionPass.MOST) {
      nudge();
    }
    return due;
  }

  @Override
  public void failed(Throwable cause) {
    if (!monitor.holding(() -> closed)) {
      LOG.warn("A round of maintenance failed; the next one goes on", cause);
    }
  }

  @Override
  public void ended() {
    // nobody waits for it
  }

  private boolean awaitRound() {
    long begin = timeline.nanoTime();
    monitor.lock();
    try {
      while (!closed) {
        long waited = timeline.nanoTime() - begin;
        long due = (wanted ? APART : EVERY) - waited;
        if (due <= 0) {
          wanted = false;
          return true;
        }
        try {
          monitor.awaitNanos(due);
        } catch (InterruptedException e) {
          LOG.debug("Somebody interrupted the maintenance, which ends with its store only", e);
        }
      }
      return false;
    } finally {
      monitor.unlock();
    }
  }
}
