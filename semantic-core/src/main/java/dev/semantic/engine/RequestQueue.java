package dev.semantic.engine;

import dev.semantic.generate.RequestException;
import dev.semantic.kv.AgentId;
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

/** The queue of requests that have not been begun. Under its owner's lock. */
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
    if (waiting.size() >= bound) {
      long until = Math.max(LEAST_PACE, pace);
      Duration after = Duration.ofNanos(until);
      throw new RequestException(
          RequestException.Kind.QUEUE_FULL,
          "%d requests are waiting already, which is the bound; ask again in %d ms"
              .formatted(waiting.size(), after.toMillis()),
          after);
    }
    if (waiting.isEmpty()) {
      lastBegun = now; // nobody waited: the time until now tells nothing
    }
    waiting.add(queued);
  }

  /** In front of everybody, whatever the bound: it was let in once. */
  void putBack(Request queued) {
    waiting.addFirst(queued);
  }

  /** All of them. */
  List<Request> all() {
    return List.copyOf(waiting);
  }

  int size() {
    return waiting.size();
  }

  /**
   * The most urgent that may be begun; of those, one of the agent whose turn it is. No agent
   * overtakes itself: whose first may not be begun waits with all it has asked.
   */
  Optional<Request> first(Predicate<Request> mayBegin) {
    Set<AgentId> seen = new HashSet<>();
    return waiting.stream()
        .filter(queued -> queued.request().agent().map(seen::add).orElse(true))
        .filter(mayBegin)
        .reduce((one, later) -> isBefore(later, one) ? later : one);
  }

  private boolean isBefore(Request later, Request one) {
    return later.priority() == one.priority()
        ? fairShare.last(later.request().agent()) < fairShare.last(one.request().agent())
        : later.priority() > one.priority();
  }

  /** Takes one out that is begun now. */
  void begin(Request queued, long now) {
    waiting.remove(queued);
    fairShare.take(queued.request().agent());
    pace += (now - lastBegun - pace) / 4;
    lastBegun = now;
  }

  /** Ends what waited too long or was cancelled; returns the nanoseconds to the next deadline. */
  long expire(long now) {
    long nearest = Long.MAX_VALUE;
    for (Iterator<Request> tickets = waiting.iterator(); tickets.hasNext(); ) {
      Request queued = tickets.next();
      if (queued.expired(now) || queued.generation().isCancelled()) {
        long waited = TimeUnit.NANOSECONDS.toMillis(now - queued.submitted());
        boolean cancelled = queued.generation().isCancelled();
        String why = cancelled ? "cancelled after" : "waited";
        queued.fail(
            new RequestException(
                cancelled ? RequestException.Kind.CANCELLED : RequestException.Kind.TIME_LIMIT,
                "Not begun: %s %d ms in the queue".formatted(why, waited)));
        tickets.remove(); // last: it is nowhere else
      } else {
        nearest = Math.min(nearest, Nanos.until(queued.deadline(), now));
      }
    }
    return nearest;
  }

  void failAll(RequestException cause) {
    waiting.forEach(queued -> queued.fail(cause));
    waiting.clear();
  }
}
