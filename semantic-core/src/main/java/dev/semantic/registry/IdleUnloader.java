package dev.semantic.registry;

import dev.semantic.engine.BatchEngine;
import dev.semantic.generate.RequestException;
import dev.semantic.log.Log;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapConflict;
import dev.semantic.swap.SwapOutcome;
import dev.semantic.timeline.Monitor;
import dev.semantic.timeline.Nanos;
import dev.semantic.timeline.ThreadFrame;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends a model away that nobody has asked anything for a while, and brings it back when somebody
 * does. Has a thread only where models are to leave. What it decides about a model it decides while
 * it has the turn, so that it never holds for another one that was swapped in meanwhile.
 */
final class IdleUnloader {
  private static final Log LOG = Log.of(IdleUnloader.class);

  /** A model that cannot leave, because a store hangs say, tries less and less often. */
  private static final int MOST_DOUBLINGS = 6;

  private final Timeline timeline;
  private final BatchEngine engine;
  private final KeepAlivePolicy keepAlive;
  private final SwapLock swapLock;
  private final SwapExecutor.Tools tools;
  private final Monitor monitor;
  private boolean wanted;
  private @Nullable Permit leaving; // the model is on its way out, and may still stay
  private int vain; // how often in a row it was to leave and could not
  private @Nullable String failure; // of the last attempt to bring it back
  private long failedUntil;
  private long servedSince; // a model that has just come is not idle, whoever asked before
  private boolean closed;

  IdleUnloader(SwapExecutor.Tools tools, KeepAlivePolicy keepAlive, SwapLock swapLock) {
    this.tools = tools;
    this.timeline = tools.timeline();
    this.engine = tools.engine();
    this.keepAlive = keepAlive;
    this.swapLock = swapLock;
    this.monitor = timeline.monitor();
    this.servedSince = timeline.nanoTime();
    keepAlive
        .idleTimeToLive()
        .ifPresent(time -> ThreadFrame.rounds(timeline, "semantic-keeper", new Rounds(time)));
  }

  /**
   * A request comes, or has come: a model that is leaving stays, and one that sleeps is wanted
   * back, unless that just failed.
   */
  void use() {
    Permit inTime;
    monitor.lock();
    try {
      if (asleep() == null || (failure != null && untilNextTry() > 0)) {
        return;
      }
      failure = null;
      wanted = true;
      inTime = leaving;
      leaving = null;
      engine.admitAgain();
      monitor.signalAll();
    } finally {
      monitor.unlock();
    }
    if (inTime != null) {
      inTime.request("somebody asks the model");
    }
  }

  /** Whoever has the turn has decided what serves: nothing sleeps any more. */
  void decided() {
    monitor.lock();
    try {
      vain = 0;
      stays();
    } finally {
      monitor.unlock();
    }
  }

  private @Nullable ModelId asleep() {
    return tools.serving().get().asleep();
  }

  /** Nothing sleeps. Under the monitor. */
  private void stays() {
    wanted = false;
    failure = null;
    servedSince = timeline.nanoTime();
    monitor.signalAll();
  }

  /**
   * No model serves, and nobody is about to change that: looks after those who wait.
   *
   * @return false if no model sleeps that they could wait for
   */
  boolean caresForWaiting() {
    monitor.lock();
    try {
      ModelId sleeping = asleep();
      if (sleeping == null) {
        return false;
      }
      if (failure != null) {
        engine.refuse(notBack(sleeping, failure, failedUntil));
      } else if (engine.queued() > 0) {
        wanted = true;
        monitor.signalAll();
      }
      return true;
    } finally {
      monitor.unlock();
    }
  }

  private Supplier<RequestException> notBack(ModelId model, String why, long until) {
    return () ->
        new RequestException(
            RequestException.Kind.NO_MODEL,
            "%s cannot be brought back: %s".formatted(model, why),
            Duration.ofNanos(Math.max(0, Nanos.until(until, timeline.nanoTime()))));
  }

  private long untilNextTry() {
    return Nanos.until(failedUntil, timeline.nanoTime());
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
      boolean due = awaitTask(timeToLive) && !swapLock.isClosed();
      if (due) {
        if (asleep() != null) {
          wake();
        } else {
          sendAway(timeToLive);
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
      while (!closed && !(asleep() != null && wanted)) {
        long left = asleep() == null ? untilIdle(timeToLive) : Nanos.FOREVER;
        if (left <= 0) {
          if (mayLeave()) {
            return true;
          }
          left = Nanos.of(timeToLive);
        }
        try {
          monitor.awaitNanos(left);
        } catch (InterruptedException e) {
          LOG.debug("Somebody interrupted the keeper, who ends with the registry only", e);
        }
      }
      return !closed;
    } finally {
      monitor.unlock();
    }
  }

  /** Nanoseconds until a model that nobody asks anything from now on has been idle long enough. */
  private long untilIdle(Duration timeToLive) {
    long idle = Math.min(engine.idleNanos(), timeline.nanoTime() - servedSince);
    long needed = Nanos.of(Nanos.times(timeToLive, 1L << Math.min(vain, MOST_DOUBLINGS)));
    return needed == Nanos.FOREVER ? needed : needed - idle;
  }

  private boolean mayLeave() {
    return tools.current().filter(spec -> !keepAlive.pinned().contains(spec.id())).isPresent();
  }

  private void sendAway(Duration timeToLive) throws ModelSwapException {
    LOG.info("Nobody has asked anything for {}; the model leaves memory", timeToLive);
    Permit permit = swapLock.enterIfFree("unload");
    if (permit == null) { // somebody changes the model: no model is idle
      monitor.holding(() -> servedSince = timeline.nanoTime());
      return;
    }
    try (permit) {
      ModelId leaving = tools.current().map(ModelSpec::id).orElse(null);
      if (leaving == null || untilIdle(timeToLive) > 0 || !mayLeave()) {
        return; // it is not the one that was idle, or it is not any more
      }
      // first, so that a request that comes meanwhile knows that it is coming back
      sleep(leaving, permit);
      try {
        exchange(null, permit);
      } finally {
        monitor.holding(this::hasLeftOrStays);
      }
    }
  }

  private void sleep(ModelId model, Permit permit) {
    monitor.lock();
    try {
      tools.serving().set(tools.serving().get().fallingAsleep(model));
      leaving = permit;
      wanted = false;
      failure = null;
    } finally {
      monitor.unlock();
    }
  }

  private void hasLeftOrStays() {
    leaving = null;
    if (tools.current().isPresent()) {
      tools.serving().set(tools.serving().get().awake());
      vain++;
      stays();
    } else {
      vain = 0;
    }
  }

  private void wake() {
    try (Permit permit = swapLock.enter("bring the sleeping model back", SwapConflict.WAIT)) {
      ModelId sleeping = monitor.holding(() -> wanted ? asleep() : null);
      if (sleeping == null) {
        return; // somebody else has decided in the meantime
      }
      try {
        exchange(sleeping, permit);
        decided();
      } catch (Throwable t) {
        LOG.warn("{} could not be brought back", sleeping, t);
        failed(t);
      }
    }
  }

  private void exchange(@Nullable ModelId target, Permit permit) throws ModelSwapException {
    new SwapExecutor(tools, SwapOptions.DEFAULTS, permit, target).run();
  }

  /** That it was called off tells nothing of the model, and nothing at all if another one comes. */
  private void failed(Throwable cause) {
    boolean calledOff =
        cause instanceof ModelSwapException e && e.report().outcome() == SwapOutcome.CANCELLED;
    boolean another = swapLock.isAwaited();
    monitor.lock();
    try {
      wanted = false;
      if (!(calledOff && another)) {
        failure = Log.reason(cause);
        Duration remembered = calledOff ? Duration.ZERO : keepAlive.reloadBackoff();
        failedUntil = Nanos.after(timeline.nanoTime(), remembered);
      }
    } finally {
      monitor.unlock();
    }
  }
}
