package dev.semantic.engine;

import dev.semantic.engine.IdleSequences.IdleSequence;
import dev.semantic.engine.Parking.Copied;
import dev.semantic.kv.AgentId;
import dev.semantic.log.Log;
import dev.semantic.store.CacheException;
import dev.semantic.timeline.Monitor;
import dev.semantic.timeline.ThreadFrame;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Parks agents who have fallen silent, those first who were silent for longest: a swap, an eviction
 * or the end of the process then finds little left to write. What is copied out of the model is
 * copied on the scheduler's thread, between two steps; while others are served that takes a tenth
 * of its time at most. What is written is written on another thread, one at a time, and together
 * what has been copied meanwhile.
 */
final class BackgroundParking {
  private static final Log LOG = Log.of(BackgroundParking.class);
  private static final long LOOK_NANOS = Duration.ofMillis(50).toNanos();

  /** While others are served: so many times as long as a copy took are theirs. */
  private static final int OTHERS_PARTS = 9;

  private static final Duration LAST_WORDS = Duration.ofSeconds(5);

  /** How long everybody else waits while one is parked to make room. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final IdleSequences idleSequences;
  private final Parking parking;
  private final Timeline timeline;
  private final Runnable wake;
  private final Monitor monitor;
  private final Deque<AgentId> due = new ArrayDeque<>(); // the scheduler's thread's
  private long seen; // how many had fallen silent when it looked last
  private long othersUntil;
  private final Map<AgentId, Copied> copied = new LinkedHashMap<>(); // not being written yet
  private boolean writing;
  private boolean closed;
  private volatile boolean again; // somebody could not be parked since it looked last
  private volatile boolean hangs; // somebody has waited for what is written in vain

  /**
   * Nothing is written yet.
   *
   * @param wake tells the scheduler that more may be copied
   */
  BackgroundParking(
      IdleSequences idleSequences, Parking parking, Timeline timeline, Runnable wake) {
    this.idleSequences = idleSequences;
    this.parking = parking;
    this.timeline = timeline;
    this.wake = wake;
    this.monitor = timeline.monitor();
    this.othersUntil = timeline.nanoTime();
  }

  /**
   * Whether there may be somebody to copy. On the scheduler's thread.
   *
   * @param idle whether nobody is served just now
   */
  boolean isDue(boolean idle) {
    return (!due.isEmpty() || again || seen != idleSequences.comings())
        && (idle || timeline.nanoTime() - othersUntil >= 0)
        && hasRoom()
        && parking.pause() <= 0;
  }

  private boolean hasRoom() {
    return monitor.holding(
        () ->
            copied.size() < Parking.BATCH_AGENTS
                && copied.values().stream().mapToLong(one -> one.snapshot().bytes()).sum()
                    < Parking.BATCH_BYTES);
  }

  /** Copies one agent's cache. On the scheduler's thread, while no swap may touch the agents. */
  void begin() {
    long begun = timeline.nanoTime();
    AgentId agent = next();
    IdleSequence silent = agent == null ? null : idleSequences.peek(agent).orElse(null);
    try {
      if (agent != null && silent != null && silent.sequence().length() == 0) {
        silent.hasNothingToSay();
      } else if (agent != null && silent != null) {
        write(parking.copy(agent, silent));
      }
    } catch (Throwable t) { // it is tried again when somebody falls silent, or by a swap
      LOG.warn("Cannot park {} yet", agent, t);
    } finally {
      long end = timeline.nanoTime();
      othersUntil = end + OTHERS_PARTS * (end - begun);
    }
  }

  /** Whoever is silent for longest of those who are not parked. */
  private @Nullable AgentId next() {
    if (due.isEmpty()) {
      again = false; // first: what fails from now on is seen the next time
      seen = idleSequences.comings();
      due.addAll(idleSequences.changed());
    }
    AgentId next = due.poll();
    while (next != null && idleSequences.peek(next).filter(IdleSequence::isChanged).isEmpty()) {
      next = due.poll(); // it has asked meanwhile: it falls silent again
    }
    return next;
  }

  private void write(Copied one) {
    Writing work = new Writing(); // before anybody counts on it
    boolean start =
        monitor.holding(
            () -> {
              Copied former = copied.put(one.agent(), one); // it has said more since
              if (former != null) {
                parking.drop(List.of(former));
              }
              boolean nobody = !writing;
              writing = true;
              return nobody;
            });
    if (start) {
      start(work);
    }
  }

  private void start(ThreadFrame.Work work) {
    boolean started = false;
    try {
      ThreadFrame.once(timeline, "semantic-park", work);
      started = true;
    } finally {
      if (!started) { // no more threads, say
        stop();
      }
    }
  }

  /** Writes until nothing is left to write. */
  private final class Writing implements ThreadFrame.Work {
    private List<Copied> batch = List.of();
    private boolean done;

    @Override
    public void run() {
      boolean failed = false;
      for (batch = take(); !batch.isEmpty(); batch = take()) {
        wake.run(); // there is room for others
        failed = !parking.write(batch).isEmpty();
        again |= failed;
        hangs = false;
      }
      done = true;
      if (failed) {
        pause();
      }
    }

    @Override
    public void ended(@Nullable Throwable thrown) {
      parking.drop(batch); // which does nothing to what was written
      if (!done) {
        stop();
        LOG.warn("The thread that parks agents has failed; it is tried again", thrown);
      }
      wake.run();
    }
  }

  /** All that has been copied; empty if there is nothing, and nobody writes any more then. */
  private List<Copied> take() {
    return monitor.holding(
        () -> {
          List<Copied> batch = List.copyOf(copied.values());
          copied.clear();
          if (batch.isEmpty()) {
            writing = false;
            monitor.signalAll();
          }
          return batch;
        });
  }

  /**
   * Nobody writes any more; what was copied is not written. Whoever waits is told first, which
   * takes no memory.
   */
  private void stop() {
    monitor.lock();
    try {
      hangs = false;
      writing = false;
      again |= !copied.isEmpty();
      monitor.signalAll();
    } finally {
      monitor.unlock();
    }
    monitor.holding(
        () -> {
          parking.drop(copied.values());
          copied.clear();
        });
  }

  /** Until the store is to be tried again. */
  private void pause() {
    monitor.lock();
    try {
      for (long left = parking.pause(); !closed && left > 0; left = parking.pause()) {
        monitor.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      LOG.debug("Somebody interrupted the thread that parks agents, which ends by itself", e);
    } finally {
      monitor.unlock();
    }
  }

  /**
   * Parks one agent at once, unless it is parked as it is, and waits for it, but not for ever:
   * while the store hangs it is not asked anything more. On the scheduler's thread.
   *
   * @throws CacheException if the store does not come back
   * @throws RuntimeException or an Error: why it could not be parked
   */
  void park(AgentId agent, IdleSequence leaving) {
    if (leaving.sequence().length() == 0) {
      return; // it has nothing to say
    }
    awaitStore();
    if (leaving.isParked()) {
      if (new Asking(() -> parking.isThere(agent, leaving)).answer()) {
        return;
      }
    }
    Copied one = parking.copy(agent, leaving);
    new Asking(
            () -> {
              List<Throwable> failed = parking.write(List.of(one));
              if (!failed.isEmpty()) {
                throw failed.getFirst();
              }
              return true;
            })
        .answer();
  }

  private void awaitStore() {
    long end = timeline.nanoTime() + (hangs ? 0 : PATIENCE.toNanos());
    try {
      awaitWritten(() -> timeline.nanoTime() - end > 0);
    } catch (CancellationException e) {
      CacheException why =
          new CacheException(
              "The store has not come back for %s; nobody is parked until it does"
                  .formatted(PATIENCE));
      if (!hangs) {
        hangs = true;
        parking.fails(why);
      }
      throw why;
    }
  }

  /** What the store is asked while nothing is written. */
  private interface Question {
    boolean ask() throws Throwable;
  }

  private final class Asking implements ThreadFrame.Work {
    private final Question question;
    private volatile boolean answer;
    private volatile @Nullable Throwable failure;

    private Asking(Question question) {
      this.question = question;
    }

    @Override
    public void run() throws Throwable {
      answer = question.ask();
    }

    @Override
    public void ended(@Nullable Throwable thrown) {
      failure = thrown;
      stop();
      wake.run();
    }

    boolean answer() {
      monitor.holding(() -> writing = true);
      start(this);
      awaitStore();
      Throwable thrown = failure;
      if (thrown instanceof RuntimeException e) {
        throw e;
      }
      if (thrown instanceof Error e) {
        throw e;
      }
      if (thrown != null) {
        throw new CacheException("The store failed: " + Log.reason(thrown), thrown);
      }
      return answer;
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
        if (cancelled.getAsBoolean()) { // which may take the engine's lock
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
    monitor.holding(
        () -> {
          closed = true;
          monitor.signalAll();
        });
    long end = timeline.nanoTime() + LAST_WORDS.toNanos();
    try {
      awaitWritten(() -> timeline.nanoTime() - end > 0);
    } catch (CancellationException e) {
      LOG.warn("Agents are still being parked after {}; nobody waits for them", LAST_WORDS);
    }
  }

  private boolean isWriting() {
    return monitor.holding(() -> writing);
  }
}
