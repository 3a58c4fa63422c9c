package dev.semantic.engine;

import dev.semantic.cache.AgentId;
import dev.semantic.cache.CacheException;
import dev.semantic.cache.CacheStore;
import dev.semantic.cache.DiskFullException;
import dev.semantic.cache.KvSnapshot;
import dev.semantic.engine.HotTier.Hot;
import dev.semantic.log.Log;
import dev.semantic.timeline.Monitor;
import dev.semantic.timeline.ThreadFrame;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Parks agents who have fallen silent, one at a time, while the model has nothing else to do: a
 * swap, an eviction or the end of the process then finds little left to write. What is copied out
 * of the model is copied on the scheduler's thread; what is written is written on another.
 */
final class WriteBehind {
  private static final Log LOG = Log.of(WriteBehind.class);
  private static final long LOOK_NANOS = Duration.ofMillis(50).toNanos();

  private static final Duration LAST_WORDS = Duration.ofSeconds(5);

  /** How long everybody else waits while one is parked to make room. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final HotTier hot;
  private final CacheStore store;
  private final Timeline timeline;
  private final Runnable wake;
  private final Monitor monitor;
  private boolean writing;
  private volatile boolean hangs; // somebody has waited for the one that is written in vain
  private volatile boolean full; // the last one found no room, and others may have before

  /**
   * Nothing is written yet.
   *
   * @param wake tells the scheduler that the next one may be written
   */
  WriteBehind(HotTier hot, CacheStore store, Timeline timeline, Runnable wake) {
    this.hot = hot;
    this.store = store;
    this.timeline = timeline;
    this.wake = wake;
    this.monitor = timeline.monitor();
  }

  /** Whether there is somebody to park, and nobody is being parked. */
  boolean isDue() {
    return !isWriting() && hot.changed().isPresent();
  }

  /** Begins to park one agent. On the scheduler's thread, while no swap may touch the agents. */
  void begin() {
    Optional<AgentId> next = hot.changed();
    if (isWriting() || next.isEmpty()) {
      return;
    }
    AgentId agent = next.get();
    Hot silent = hot.peek(agent).orElseThrow();
    silent.beginParking();
    if (silent.sequence().length() == 0) {
      silent.endParking(); // it has nothing to say
      return;
    }
    try {
      KvSnapshot snapshot = silent.snapshot();
      setWriting(true);
      ThreadFrame.once(timeline, "semantic-park", new Writing(agent, silent, snapshot));
    } catch (Throwable t) { // it is tried again with the agent's next turn, or by a swap
      LOG.warn("Cannot park {} yet", agent, t);
      setWriting(false);
    }
  }

  /**
   * Parks one agent at once, and waits for it, but not for ever: while the store hangs it is not
   * asked anything more. On the scheduler's thread.
   *
   * @throws CacheException if the store does not come back
   */
  void park(AgentId agent, Hot leaving) {
    awaitStore();
    if (leaving.isParked() || leaving.sequence().length() == 0) {
      return; // it has nothing to say
    }
    Writing writing = new Writing(agent, leaving, leaving.snapshot());
    leaving.beginParking();
    setWriting(true);
    try {
      ThreadFrame.once(timeline, "semantic-park", writing);
    } catch (Throwable t) { // no more threads, say
      setWriting(false);
      throw t;
    }
    awaitStore();
    switch (writing.failure) {
      case null -> {}
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case Throwable t -> throw new CacheException("Cannot park " + agent, t);
    }
  }

  private void awaitStore() {
    long end = timeline.nanoTime() + (hangs ? 0 : PATIENCE.toNanos());
    try {
      awaitWritten(() -> timeline.nanoTime() - end > 0);
    } catch (CancellationException e) {
      hangs = true;
      throw new CacheException(
          "The store has not come back for %s; nobody is parked until it does".formatted(PATIENCE));
    }
  }

  private final class Writing implements ThreadFrame.Work {
    private final AgentId agent;
    private final Hot silent;
    private final KvSnapshot snapshot;
    private volatile @Nullable Throwable failure;

    private Writing(AgentId agent, Hot silent, KvSnapshot snapshot) {
      this.agent = agent;
      this.silent = silent;
      this.snapshot = snapshot;
    }

    @Override
    public void run() {
      store.park(agent, snapshot);
      silent.endParking();
      if (full) {
        full = false;
        hot.parkAgain();
      }
    }

    @Override
    public void ended(@Nullable Throwable thrown) {
      failure = thrown;
      full |= thrown instanceof DiskFullException; // which the store has said once, for all
      hangs = false;
      setWriting(false);
      wake.run();
      if (thrown instanceof DiskFullException) {
        LOG.debug("Cannot park {} yet", agent, thrown);
      } else if (thrown != null) {
        LOG.warn("Cannot park {} yet", agent, thrown);
      }
    }
  }

  /**
   * Waits until nothing is being written.
   *
   * @throws CancellationException if nobody wants to wait any more
   */
  void awaitWritten(BooleanSupplier cancelled) {
    boolean interrupted = false;
    try {
      while (isWriting()) {
        if (cancelled.getAsBoolean()) { // which may take the lobby's lock
          throw new CancellationException("Nobody waits for the agents to be parked any more");
        }
        interrupted |= sleep();
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Until it has been written, or for a moment; returns whether it was interrupted. */
  private boolean sleep() {
    monitor.lock();
    try {
      if (writing) {
        monitor.awaitNanos(LOOK_NANOS);
      }
      return false;
    } catch (InterruptedException e) {
      return true;
    } finally {
      monitor.unlock();
    }
  }

  /** Waits for what is being written; not for ever. */
  void close() {
    long end = timeline.nanoTime() + LAST_WORDS.toNanos();
    try {
      awaitWritten(() -> timeline.nanoTime() - end > 0);
    } catch (CancellationException e) {
      LOG.warn("An agent is still being parked after {}; nobody waits for it", LAST_WORDS);
    }
  }

  private boolean isWriting() {
    return monitor.holding(() -> writing);
  }

  private void setWriting(boolean value) {
    monitor.lock();
    try {
      writing = value;
      monitor.signalAll();
    } finally {
      monitor.unlock();
    }
  }
}
