package dev.semantic.engine;

import java.time.Duration;

/**
 * A request in the queue.
 *
 * @param submitted {@link System#nanoTime()}
 * @param deadline the same clock; {@link Long#MAX_VALUE} for none
 */
record Ticket(GenerationRequest request, Generation generation, long submitted, long deadline) {
  static Ticket of(GenerationRequest request, long now, Duration longestWait, Runnable wake) {
    long wait =
        Math.min(nanos(longestWait), request.deadline().map(Ticket::nanos).orElse(Long.MAX_VALUE));
    long deadline = wait == Long.MAX_VALUE ? Long.MAX_VALUE : now + wait;
    return new Ticket(request, new Generation(wake), now, deadline);
  }

  /** More than a year counts as for ever. */
  static long nanos(Duration duration) {
    return duration.compareTo(Duration.ofDays(365)) > 0 ? Long.MAX_VALUE : duration.toNanos();
  }

  boolean expired(long now) {
    return deadline != Long.MAX_VALUE && now - deadline >= 0;
  }
}
