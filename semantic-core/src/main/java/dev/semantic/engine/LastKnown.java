package dev.semantic.engine;

import dev.semantic.log.Log;
import dev.semantic.timeline.Monitor;
import dev.semantic.timeline.ThreadFrame;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a host's code says of itself. It is asked on a thread of its own, once at a time: whoever
 * wants to know waits a moment at most, and if it does not come back, or throws, gets what it said
 * last. Any thread.
 */
public final class LastKnown<T> {
  private static final Log LOG = Log.of(LastKnown.class);

  /** Far longer than it takes to look into one's own books. */
  private static final Duration A_MOMENT = Duration.ofMillis(100);

  private final Timeline timeline;
  private final String name;
  private final Supplier<T> source;
  private final Monitor monitor;
  private T known;
  private @Nullable Asking underWay;
  private boolean failed; // when it was asked last

  /**
   * Nobody has asked yet.
   *
   * @param name of the thread that asks
   * @param first what is known until it has answered
   */
  public LastKnown(Timeline timeline, String name, Supplier<T> source, T first) {
    this.timeline = timeline;
    this.name = name;
    this.source = source;
    this.known = first;
    this.monitor = timeline.monitor();
  }

  /** As it is now or, if it does not say so at once, as it was. An interrupt is kept. */
  public T get() {
    Asking asking = begin();
    boolean interrupted = Thread.interrupted();
    monitor.lock();
    try {
      for (long left = asking.left(); underWay == asking && left > 0; left = asking.left()) {
        try {
          monitor.awaitNanos(left);
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      return known;
    } finally {
      monitor.unlock();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Since when it has not answered, if it was asked so long ago or longer. */
  public Optional<Instant> silentSince(Duration atLeast) {
    return monitor.holding(
        () ->
            underWay != null && underWay.nanos() >= atLeast.toNanos()
                ? Optional.of(underWay.since)
                : Optional.<Instant>empty());
  }

  /** Asks, unless it is being asked. */
  private Asking begin() {
    Asking next = new Asking();
    Asking present =
        monitor.holding(
            () -> {
              underWay = underWay == null ? next : underWay;
              return underWay;
            });
    if (present == next) {
      boolean started = false;
      try {
        ThreadFrame.once(timeline, name, next);
        started = true;
      } finally {
        if (!started) { // no more threads, say
          next.ended(null);
        }
      }
    }
    return present;
  }

  private final class Asking implements ThreadFrame.Work {
    private final long begun = timeline.nanoTime();
    private final Instant since = timeline.now();
    private @Nullable T answer;

    @Override
    public void run() {
      answer = source.get();
    }

    private long nanos() {
      return timeline.nanoTime() - begun;
    }

    private long left() {
      return A_MOMENT.toNanos() - nanos();
    }

    @Override
    public void ended(@Nullable Throwable thrown) {
      boolean first = false;
      monitor.lock();
      try {
        if (underWay == this) {
          T its = answer;
          known = its == null ? known : its;
          underWay = null;
          first = thrown != null && !failed;
          failed = thrown != null;
          monitor.signalAll();
        }
      } finally {
        monitor.unlock();
      }
      if (first) {
        LOG.warn("{} failed; what is known from before is told", name, thrown);
      }
    }
  }
}
