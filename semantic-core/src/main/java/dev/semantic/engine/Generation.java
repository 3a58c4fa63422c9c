package dev.semantic.engine;

import dev.semantic.timeline.Monitor;
import dev.semantic.timeline.Nanos;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * A request under way. Its events stay here, so that a slow or absent reader holds nobody up, and
 * everybody who reads them sees all; there are at most as many as tokens were asked for. Any
 * thread.
 */
public final class Generation {
  private final Monitor monitor;
  private final Runnable wake;
  private final List<GenerationEvent> events = new ArrayList<>(); // under the monitor
  private volatile @Nullable GenerationEvent end; // the last of them
  private volatile boolean cancelled;
  private volatile boolean forgotten;

  /**
   * Not begun.
   *
   * @param monitor its own
   * @param wake lets whoever works on it know that it was cancelled
   */
  Generation(Monitor monitor, Runnable wake) {
    this.monitor = monitor;
    this.wake = wake;
  }

  void token(int id, String text) {
    add(new GenerationEvent.Token(id, text));
  }

  /** The end; only the first one counts. */
  void finish(GenerationResult answer) {
    add(new GenerationEvent.Finished(answer));
  }

  /** The end; only the first one counts. */
  void fail(RequestException cause) {
    add(new GenerationEvent.Failed(cause));
  }

  private void add(GenerationEvent event) {
    monitor.lock();
    try {
      if (end == null) {
        events.add(event);
        end = event instanceof GenerationEvent.Token ? null : event;
        monitor.signalAll();
      }
    } finally {
      monitor.unlock();
    }
  }

  boolean isCancelled() {
    return cancelled;
  }

  /**
   * Ends it before its next token; what has been generated is its answer. One that has not been
   * begun has none, and fails.
   */
  public void cancel() {
    cancelled = true;
    if (!isDone()) {
      wake.run();
    }
  }

  /** Whether it has ended. */
  public boolean isDone() {
    return end != null;
  }

  /**
   * Waits for the answer.
   *
   * @throws RequestException if there is none: the one that {@link #events} tells, too; or of the
   *     kind {@link RequestException.Kind#INTERRUPTED} if the wait was interrupted, which the
   *     thread stays; the generation goes on then
   */
  public GenerationResult await() {
    return await(null);
  }

  /**
   * Waits for the answer, but not for ever.
   *
   * @param atMost any duration; null for as long as it takes
   * @throws RequestException as {@link #await()} does, and of the kind {@link
   *     RequestException.Kind#TIME_LIMIT} if there is none in time; the generation goes on then
   */
  public GenerationResult await(@Nullable Duration atMost) {
    GenerationEvent last = awaitEnd(atMost == null ? Nanos.FOREVER : Nanos.of(atMost));
    return switch (last) {
      case GenerationEvent.Finished(GenerationResult answer) -> answer;
      case GenerationEvent.Failed(RequestException cause) -> throw cause;
      case null, default ->
          throw new RequestException(
              RequestException.Kind.TIME_LIMIT, "No answer within " + atMost);
    };
  }

  /** The last event; null if time runs out before. */
  private @Nullable GenerationEvent awaitEnd(long nanos) {
    long left = nanos;
    monitor.lock();
    try {
      while (end == null && left > 0) {
        left = pause(left);
      }
      return end;
    } finally {
      monitor.unlock();
    }
  }

  /** Waits for a signal; returns what is left of so many nanoseconds. */
  private long pause(long nanos) {
    try {
      if (nanos < Nanos.FOREVER) {
        return monitor.awaitNanos(nanos);
      }
      monitor.await();
      return nanos;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RequestException(
          RequestException.Kind.INTERRUPTED,
          "Interrupted while waiting for an answer, which goes on",
          e);
    }
  }

  /**
   * The events in order from the first, as they come; the last is {@link GenerationEvent.Finished}
   * or {@link GenerationEvent.Failed}. Each call begins anew: several may read, each sees them all.
   *
   * @return whose {@code next} waits, and throws a {@link RequestException} of the kind {@link
   *     RequestException.Kind#INTERRUPTED} if that is interrupted; for one thread
   */
  public Iterator<GenerationEvent> events() {
    return new Iterator<>() {
      private int read;
      private boolean ended;

      @Override
      public boolean hasNext() {
        return !ended;
      }

      @Override
      public GenerationEvent next() {
        if (ended) {
          throw new NoSuchElementException("The generation has ended");
        }
        GenerationEvent event = awaitEvent(read);
        read++;
        ended = !(event instanceof GenerationEvent.Token);
        return event;
      }
    };
  }

  private GenerationEvent awaitEvent(int index) {
    monitor.lock();
    try {
      while (events.size() <= index) {
        pause(Long.MAX_VALUE);
      }
      return events.get(index);
    } finally {
      monitor.unlock();
    }
  }

  /** Its agent was forgotten after it was asked: what is computed for it is kept for nobody. */
  void forget() {
    forgotten = true;
  }

  boolean isForgotten() {
    return forgotten;
  }
}
