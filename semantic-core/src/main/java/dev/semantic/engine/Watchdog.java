package dev.semantic.engine;

import dev.semantic.generate.RequestException;
import dev.semantic.log.Log;
import dev.semantic.timeline.ThreadFrame;
import dev.semantic.timeline.ThreadHandle;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * Ends requests for their callers in time, whatever the scheduler is doing: those in the queue when
 * their time is over, those under way a moment later, if the model or the store that the scheduler
 * waits for has not come back by then. What is under way there is not touched. A thread of its own.
 */
final class Watchdog implements ThreadFrame.Rounds {
  private static final Log LOG = Log.of(Watchdog.class);

  /** How long the scheduler has to end one by itself, with what there is of its answer. */
  private static final long GRACE_NANOS = Duration.ofSeconds(1).toNanos();

  private final EngineState state;
  private final Map<Request, Long> over = new HashMap<>(); // since when

  private Watchdog(EngineState state) {
    this.state = state;
  }

  /** Watches until the engine is closed and nobody waits. */
  static ThreadHandle start(Timeline timeline, EngineState state) {
    return ThreadFrame.rounds(timeline, "semantic-watchdog", new Watchdog(state));
  }

  @Override
  public boolean round() {
    try {
      return state.watch(this::endOverdue);
    } catch (InterruptedException e) {
      LOG.debug("Somebody interrupted the watchdog, which ends with its engine only", e);
      return true;
    }
  }

  /** Returns the nanoseconds until the next has to be looked at. Under the engine's lock. */
  private long endOverdue(Set<Request> running, long now) {
    over.keySet().retainAll(running);
    long nearest = Long.MAX_VALUE;
    for (Request request : running) {
      if (!request.generation().isDone()) {
        nearest = Math.min(nearest, left(request, now));
      }
    }
    return nearest;
  }

  private long left(Request request, long now) {
    if (!request.isOver(now)) {
      return request.untilLimit(now);
    }
    Long since = over.putIfAbsent(request, now);
    long left = GRACE_NANOS - (since == null ? 0 : now - since);
    if (left > 0) {
      return left;
    }
    boolean cancelled = request.generation().isCancelled();
    request
        .generation()
        .fail(
            new RequestException(
                cancelled ? RequestException.Kind.CANCELLED : RequestException.Kind.TIME_LIMIT,
                "%s, and the model or the store that works on it has not come back"
                    .formatted(cancelled ? "Cancelled" : "Out of time")));
    return Long.MAX_VALUE;
  }

  @Override
  public void failed(Throwable cause) {
    LOG.warn("The watchdog stumbled, and goes on", cause);
  }

  @Override
  public void ended() {
    // nobody waits for it
  }
}
