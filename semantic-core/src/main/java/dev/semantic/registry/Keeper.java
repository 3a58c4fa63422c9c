package dev.semantic.registry;

import dev.semantic.engine.BatchEngine;
import dev.semantic.engine.RequestException;
import dev.semantic.log.Log;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.swap.IfBusy;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.timeline.Monitor;
import dev.semantic.timeline.ThreadFrame;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Sends a model away that nobody has asked anything for a while, and brings it back when somebody
 * does. Has a thread only where models are to leave.
 */
final class Keeper {
  private static final Log LOG = Log.of(Keeper.class);

  /** What the keeper does to the registry. */
  interface House {
    Optional<ModelSpec> serving();

    void change(@Nullable ModelId target, SwapOptions options) throws ModelSwapException;
  }

  private final Timeline timeline;
  private final BatchEngine engine;
  private final Residency residency;
  private final House house;
  private final Monitor monitor;
  private @Nullable ModelId asleep;
  private @Nullable String failure;
  private long failedUntil;
  private long lastUse;
  private boolean wanted;
  private boolean closed;

  Keeper(Timeline timeline, BatchEngine engine, Residency residency, House house) {
    this.timeline = timeline;
    this.engine = engine;
    this.residency = residency;
    this.house = house;
    this.monitor = timeline.monitor();
    this.lastUse = timeline.nanoTime();
    residency
        .idleTimeToLive()
        .ifPresent(time -> ThreadFrame.rounds(timeline, "semantic-keeper", new Rounds(time)));
  }

  /**
   * A request comes.
   *
   * @return whether its model is on its way, if none serves
   * @throws RequestException if that model could not be brought back a moment ago
   */
  boolean use() {
    monitor.lock();
    try {
      lastUse = timeline.nanoTime();
      if (asleep == null) {
        return false;
      }
      if (failure != null && failedUntil - lastUse > 0) {
        throw new RequestException(
            RequestException.Kind.NO_MODEL,
            "%s cannot be brought back: %s".formatted(asleep, failure),
            Duration.ofNanos(failedUntil - lastUse));
      }
      wanted = true;
      monitor.signalAll();
      return true;
    } finally {
      monitor.unlock();
    }
  }

  /** Somebody else decided what serves. */
  void forget() {
    monitor.lock();
    try {
      asleep = null;
      wanted = false;
      failure = null;
      lastUse = timeline.nanoTime();
    } finally {
      monitor.unlock();
    }
  }

  void close() {
    monitor.lock();
    try {
      closed = true;
      monitor.signalAll();
    } finally {
      monitor.unlock();
    }
  }

  private final class Rounds implements ThreadFrame.Rounds {
    private final Duration timeToLive;

    private Rounds(Duration timeToLive) {
      this.timeToLive = timeToLive;
    }

    @Override
    public boolean round() throws ModelSwapException {
      boolean due = awaitTask(timeToLive);
      if (due) {
        ModelId sleeping = sleeping();
        if (sleeping != null) {
          wake(sleeping);
        } else {
          sendAway();
        }
      }
      return due;
    }

    @Override
    public void failed(Throwable cause) {
      LOG.warn("What the idle time asked for could not be done; next time, then", cause);
    }

    @Override
    public void ended() {
      // nobody waits for it
    }
  }

  /** Sleeps until a model is wanted back or has been idle for long enough; false at the end. */
  private boolean awaitTask(Duration timeToLive) {
    monitor.lock();
    try {
      long deadline = lastUse + timeToLive.toNanos();
      while (!closed && !(asleep != null && wanted)) {
        long left = asleep == null ? deadline - timeline.nanoTime() : Long.MAX_VALUE;
        if (left <= 0 && isIdle()) {
          return true;
        }
        try {
          if (left == Long.MAX_VALUE) {
            monitor.await();
          } else {
            monitor.awaitNanos(left <= 0 ? timeToLive.toNanos() : left);
          }
        } catch (InterruptedException e) {
          LOG.debug("Somebody interrupted the keeper, who ends with the registry only", e);
        }
        deadline = lastUse + timeToLive.toNanos();
      }
      return !closed;
    } finally {
      monitor.unlock();
    }
  }

  private boolean isIdle() {
    return engine.running() == 0
        && engine.queued() == 0
        && house.serving().filter(spec -> !residency.pinned().contains(spec.id())).isPresent();
  }

  private @Nullable ModelId sleeping() {
    monitor.lock();
    try {
      return asleep;
    } finally {
      monitor.unlock();
    }
  }

  private void sendAway() throws ModelSwapException {
    ModelId leaving = house.serving().map(ModelSpec::id).orElse(null);
    if (leaving == null) {
      return;
    }
    LOG.info(
        "Nobody has asked {} anything for {}; it leaves memory",
        leaving,
        residency.idleTimeToLive());
    note(leaving); // first, so that a request that comes meanwhile knows that it is coming back
    try {
      house.change(null, SwapOptions.builder().ifBusy(IfBusy.REFUSE).build());
    } finally {
      if (house.serving().isPresent()) {
        forget();
      } else if (engine.queued() > 0) {
        use();
      }
    }
  }

  private void note(ModelId leaving) {
    monitor.lock();
    try {
      asleep = leaving;
      wanted = false;
      failure = null;
    } finally {
      monitor.unlock();
    }
  }

  private void wake(ModelId sleeping) {
    try {
      house.change(sleeping, SwapOptions.builder().ifBusy(IfBusy.WAIT).build());
      forget();
    } catch (Throwable t) {
      LOG.warn("{} could not be brought back", sleeping, t);
      String why = Log.reason(t);
      monitor.lock();
      try {
        wanted = false;
        failure = why;
        failedUntil = timeline.nanoTime() + residency.failureMemory().toNanos();
      } finally {
        monitor.unlock();
      }
      engine.refuseWaiting(
          new RequestException(
              RequestException.Kind.NO_MODEL,
              "%s cannot be brought back: %s".formatted(sleeping, why),
              residency.failureMemory()));
    }
  }
}
