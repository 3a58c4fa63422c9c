package dev.semantic.engine;

import dev.semantic.cache.BlockPool;
import dev.semantic.cache.CacheStore;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.TextCodec;
import java.time.Duration;
import java.util.HashSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves requests with one model at a time. A scheduler thread of its own steps the model: a chunk
 * of one prompt, then a token for everybody. The queue belongs to the engine and outlives the
 * model: requests that come while none serves wait for the next one, up to a bound and a deadline.
 *
 * <p>Requests may come from any thread. {@link #drain}, {@link #shutdown} and {@link #reinitialize}
 * are for the one thread that changes the model.
 */
public final class BatchEngine implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(BatchEngine.class);

  private final EngineOptions options;
  private final BlockPool pool;
  private final HotTier hot = new HotTier();
  private final Admission admission;
  private final Stepper stepper; // the scheduler's
  private final Thread scheduler;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final WaitingRoom waiting;
  private final Set<Generation> running = new HashSet<>(); // left the queue, not ended
  private EngineMode mode = EngineMode.EMPTY;
  private @Nullable Serving serving;

  /** An engine without a model; it takes requests at once, and serves once it has one. */
  public BatchEngine(EngineOptions options, BlockPool pool, CacheStore store) {
    this.options = options;
    this.pool = pool;
    this.admission = new Admission(hot, pool, store);
    this.waiting = new WaitingRoom(options.queueLength());
    this.stepper = new Stepper(hot, admission);
    this.scheduler = Thread.ofPlatform().daemon().name("semantic-engine").start(this::schedule);
  }

  /**
   * Takes a request.
   *
   * @throws RequestException if the engine is closed, or the queue is full
   */
  public Generation submit(GenerationRequest request) {
    long now = System.nanoTime();
    Ticket ticket = Ticket.of(request, now, options.longestWait(), this::wake);
    lock.lock();
    try {
      if (mode == EngineMode.CLOSED) {
        throw new RequestException("The engine is closed");
      }
      waiting.add(ticket);
      changed.signalAll();
      return ticket.generation();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Lets what was begun come to its end and begins nothing new. If that takes too long, everything
   * goes on as before and nothing is cancelled.
   *
   * @return how many requests were still running when time ran out; 0 means drained
   */
  public int drain(Duration atMost) throws InterruptedException {
    long left = Ticket.nanos(atMost);
    lock.lock();
    try {
      if (mode != EngineMode.SERVING) {
        throw new IllegalStateException("An engine that is " + mode + " cannot be drained");
      }
      mode = EngineMode.DRAINING;
      changed.signalAll();
      try {
        while (!running.isEmpty() && left > 0) {
          left = changed.awaitNanos(left);
        }
      } finally {
        if (mode == EngineMode.DRAINING) {
          mode = running.isEmpty() ? EngineMode.DRAINED : EngineMode.SERVING;
          changed.signalAll();
        }
      }
      return running.size();
    } finally {
      lock.unlock();
    }
  }

  /** Goes on serving with the model that was drained. */
  public void resume() {
    become(EngineMode.SERVING, EngineMode.DRAINED);
  }

  /**
   * Parks the caches of all agents; they stay in memory too. Only after {@link #drain}.
   *
   * @return how many
   */
  public int parkAgents() {
    require(EngineMode.DRAINED);
    return admission.parkAll();
  }

  /** Lets go of the model and of every sequence; the queue stays. Only after {@link #drain}. */
  public void shutdown() {
    require(EngineMode.DRAINED);
    hot.closeAll();
    lock.lock();
    try {
      serving = null;
      mode = EngineMode.EMPTY;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Begins to serve with a model. Agents who parked a cache under its tag are brought back first,
   * most recent first, as far as there is room.
   *
   * @return how many agents were brought back
   */
  public int reinitialize(LoadedModel model, TextCodec text) {
    require(EngineMode.EMPTY);
    ModelSpec spec = model.spec();
    pool.reconfigure(spec.kvLayout(), spec.kvPrecision());
    Serving next = new Serving(model, text);
    int restored;
    try {
      restored = admission.restoreAgents(next, options.restoredAgents());
    } catch (Throwable t) {
      hot.closeAll();
      throw t;
    }
    lock.lock();
    try {
      serving = next;
      mode = EngineMode.SERVING;
      changed.signalAll();
      return restored;
    } finally {
      lock.unlock();
    }
  }

  /** What it is doing. */
  public EngineMode mode() {
    lock.lock();
    try {
      return mode;
    } finally {
      lock.unlock();
    }
  }

  /** Ends every request under way before its next token; what was generated is its answer. */
  public void cancelRunning() {
    lock.lock();
    try {
      running.forEach(Generation::cancel);
    } finally {
      lock.unlock();
    }
  }

  /** Requests that have been begun and not ended. */
  public int running() {
    lock.lock();
    try {
      return running.size();
    } finally {
      lock.unlock();
    }
  }

  /** Requests that have not been begun. */
  public int queued() {
    lock.lock();
    try {
      return waiting.size();
    } finally {
      lock.unlock();
    }
  }

  /** Agents whose caches are in memory and idle. */
  public int hotAgents() {
    return hot.size();
  }

  private void require(EngineMode wanted) {
    lock.lock();
    try {
      if (mode != wanted) {
        throw new IllegalStateException("The engine is " + mode + ", not " + wanted);
      }
    } finally {
      lock.unlock();
    }
  }

  private void become(EngineMode next, EngineMode only) {
    lock.lock();
    try {
      if (mode != only) {
        throw new IllegalStateException("The engine is " + mode + ", not " + only);
      }
      mode = next;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** The scheduler: nothing that a request does may end it. */
  private void schedule() {
    boolean open = true;
    while (open) {
      try {
        // An interrupt is nobody's way to end it, and would close the files it reads.
        if (Thread.interrupted()) {
          LOG.debug("Somebody interrupted the scheduler, which ends by close() only");
        }
        open = awaitWork();
        if (open) {
          admit();
          step();
        }
      } catch (Throwable t) { // other languages throw checked ones, too
        LOG.error("A scheduling step failed; its requests are told, the engine goes on", t);
        endAll(new RequestException("The engine failed: " + t, t));
      }
    }
    endAll(new RequestException("The engine was closed"));
  }

  private void wake() {
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Sleeps until there is something to do; false when there never will be. */
  private boolean awaitWork() {
    lock.lock();
    try {
      while (mode != EngineMode.CLOSED) {
        long nearest = waiting.expire(System.nanoTime());
        if (!running.isEmpty() || nextAdmissible().isPresent()) {
          return true;
        }
        awaitChange(nearest);
      }
      return false;
    } finally {
      lock.unlock();
    }
  }

  @SuppressWarnings("WaitNotInLoop") // the loop is awaitWork's
  private void awaitChange(long nearest) {
    try {
      if (nearest == Long.MAX_VALUE) {
        changed.await();
      } else if (changed.awaitNanos(nearest) > 0) {
        LOG.trace("Woken before the nearest deadline");
      }
    } catch (InterruptedException e) {
      LOG.debug("Somebody interrupted the scheduler, which ends by close() only", e);
    }
  }

  /** The first request that may begin: an agent's requests keep their order. */
  private Optional<Ticket> nextAdmissible() {
    if (mode != EngineMode.SERVING || running.size() >= options.batchSize()) {
      return Optional.empty();
    }
    return waiting.first(ticket -> ticket.request().agent().filter(stepper::isBusy).isEmpty());
  }

  private void admit() {
    for (Ticket ticket = begin(); ticket != null; ticket = begin()) {
      try {
        stepper.add(admission.begin(ticket, current()));
      } catch (Throwable t) {
        LOG.debug("A request could not be begun", t);
        ticket.generation().fail(new RequestException(String.valueOf(t.getMessage()), t));
        countEnded();
      }
    }
  }

  private @Nullable Ticket begin() {
    lock.lock();
    try {
      Ticket next = nextAdmissible().orElse(null);
      if (next != null) {
        waiting.remove(next);
        running.add(next.generation());
      }
      return next;
    } finally {
      lock.unlock();
    }
  }

  private Serving current() {
    lock.lock();
    try {
      return Objects.requireNonNull(serving, "a request was begun without a model");
    } finally {
      lock.unlock();
    }
  }

  private void step() {
    if (stepper.size() > 0) {
      stepper.step(current().model());
    }
    countEnded();
  }

  /** Tells whoever drains how many are left. */
  private void countEnded() {
    lock.lock();
    try {
      if (running.removeIf(Generation::isDone)) {
        changed.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  private void endAll(RequestException cause) {
    stepper.failAll(cause);
    countEnded();
    lock.lock();
    try {
      if (mode == EngineMode.CLOSED) {
        waiting.failAll(cause);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Ends everything: requests fail, sequences are closed; the model is its owner's to close. */
  @Override
  public void close() {
    lock.lock();
    try {
      if (mode == EngineMode.CLOSED) {
        return;
      }
      mode = EngineMode.CLOSED;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    boolean interrupted = false;
    while (scheduler.isAlive()) {
      try {
        scheduler.join();
      } catch (InterruptedException e) {
        interrupted = true; // a step under way uses the model; it must end first
      }
    }
    try {
      hot.closeAll();
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
