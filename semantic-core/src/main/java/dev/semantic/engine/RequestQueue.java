package dev.semantic.engine;

import dev.semantic.engine.Request.Status;
import dev.semantic.generate.RequestException;
import dev.semantic.kv.AgentId;
import dev.semantic.model.ModelTag;
import dev.semantic.timeline.Nanos;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * Requests that wait: in front those that were stopped between two tokens and wait for their model,
 * behind them those that have not been begun. Under its owner's lock.
 */
final class RequestQueue {
  private static final long PACE_UNLESS_KNOWN = Duration.ofSeconds(1).toNanos();
  private static final long LEAST_PACE = Duration.ofMillis(50).toNanos();

  private final List<Request> waiting = new ArrayList<>(); // a deque that cannot grow loses all
  private final FairShare fairShare = new FairShare();
  private final int bound;
  private long pace = PACE_UNLESS_KNOWN; // nanoseconds between two that are begun
  private long lastBegun;

  RequestQueue(int bound) {
    this.bound = bound;
  }

  void add(Request queued, long now) {
    int unbegun = waiting.size() - preempted();
    if (unbegun >= bound) {
      long until = Math.max(LEAST_PACE, pace);
      Duration after = Duration.ofNanos(until);
      throw new RequestException(
          RequestException.Kind.QUEUE_FULL,
          "%d requests are waiting already, which is the bound; ask again in %d ms"
              .formatted(unbegun, after.toMillis()),
          after);
    }
    if (unbegun == 0) {
      lastBegun = now; // nobody waited: the time until now tells nothing
    }
    waiting.add(queued);
  }

  /** In front of all that have not been begun, whatever the bound: it was let in once. */
  void putBack(Request queued) {
    waiting.add(preempted(), queued);
    queued.become(Status.WAITING);
  }

  /** It was stopped, and waits for its model until then. */
  void preempt(Request queued, long until) {
    waiting.add(preempted(), queued);
    queued.preempt(until);
  }

  private int preempted() {
    int preempted = 0;
    while (preempted < waiting.size() && isPreempted(waiting.get(preempted))) {
      preempted++;
    }
    return preempted;
  }

  private static boolean isPreempted(Request queued) {
    return queued.status() == Status.PREEMPTED;
  }

  /** A model serves: those who wait for another one wait no longer than until {@code latest}. */
  void hurry(ModelTag present, long now, long latest) {
    for (Request queued : waiting.subList(0, preempted())) {
      if (!queued.isFor(present)
          && Nanos.until(queued.preemptedUntil(), now) > Nanos.until(latest, now)) {
        queued.preempt(latest);
      }
    }
  }

  /** All of them. */
  List<Request> all() {
    return List.copyOf(waiting);
  }

  int size() {
    return waiting.size();
  }

  /**
   * The first of the preempted that may go on, or else the most urgent that may be begun; of those,
   * one of the agent whose turn it is. No agent overtakes itself: whose first may not be begun
   * waits with all it has asked.
   */
  Optional<Request> first(Predicate<Request> mayBegin) {
    Set<AgentId> seen = new HashSet<>();
    return waiting.stream()
        .filter(queued -> queued.agent().map(seen::add).orElse(true))
        .filter(mayBegin)
        .reduce((one, later) -> isBefore(later, one) ? later : one);
  }

  private boolean isBefore(Request later, Request one) {
    if (isPreempted(one)) {
      return false;
    }
    return later.priority() == one.priority()
        ? fairShare.last(later.agent()) < fairShare.last(one.agent())
        : later.priority() > one.priority();
  }

  /** Takes one out that is begun now, or goes on. */
  void begin(Request queued, long now) {
    waiting.remove(queued);
    if (!isPreempted(queued)) {
      fairShare.take(queued.agent());
      pace += (now - lastBegun - pace) / 4;
      lastBegun = now;
    }
    queued.become(Status.RUNNING);
  }

  /** Ends what waited too long or was cancelled; returns the nanoseconds to the next deadline. */
  long expire(long now) {
    long nearest = Long.MAX_VALUE;
    for (Iterator<Request> each = waiting.iterator(); each.hasNext(); ) {
      Request queued = each.next();
      long left =
          isPreempted(queued) ? leftOfPreempted(queued, now) : Nanos.until(queued.deadline(), now);
      if (left <= 0 || queued.generation().isCancelled()) {
        queued.end(notBegun(queued, now));
        each.remove(); // last: it is nowhere else
      } else {
        nearest = Math.min(nearest, left);
      }
    }
    return nearest;
  }

  private static long leftOfPreempted(Request queued, long now) {
    return queued.generation().isDone()
        ? 0
        : Math.min(Nanos.until(queued.preemptedUntil(), now), queued.untilLimit(now));
  }

  private static RequestException notBegun(Request queued, long now) {
    long waited = TimeUnit.NANOSECONDS.toMillis(now - queued.submitted());
    boolean cancelled = queued.generation().isCancelled();
    return new RequestException(
        cancelled ? RequestException.Kind.CANCELLED : RequestException.Kind.TIME_LIMIT,
        "Not begun: %s %d ms in the queue"
            .formatted(cancelled ? "cancelled after" : "waited", waited));
  }

  /** Ends all that have not been begun. */
  void failAll(RequestException cause) {
    for (Request queued : waiting) {
      fail(queued, cause);
    }
    while (!waiting.isEmpty() && !isPreempted(waiting.getLast())) {
      waiting.removeLast();
    }
  }

  private static void fail(Request queued, RequestException cause) {
    if (!isPreempted(queued)) {
      queued.end(cause);
    }
  }

  /** Ends those that were preempted with what they have. */
  void endPreempted(RequestException cause) {
    for (int left = preempted(); left > 0; left--) {
      waiting.getFirst().end(cause);
      waiting.removeFirst();
    }
  }
}
