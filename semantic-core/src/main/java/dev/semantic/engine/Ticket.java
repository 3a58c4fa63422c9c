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
    Duration wait =
        request.deadline().filter(own -> own.compareTo(longestWait) < 0).orElse(longestWait);
    return new Ticket(request, new Generation(wake), now, deadline(now, wait));
  }

  /** The time after {@code wait}, on the clock of {@code now}. */
  static long deadline(long now, Duration wait) {
    long nanos = nanos(wait);
    return nanos == Long.MAX_VALUE ? Long.MAX_VALUE : now + nanos;
  }

  /** More than a year counts as for ever. */
  static long nanos(Duration duration) {
    return duration.compareTo(Duration.ofDays(365)) > 0 ? Long.MAX_VALUE : duration.toNanos();
  }

  int priority() {
    return request.priority();
  }

  boolean expired(long now) {
    return deadline != Long.MAX_VALUE && now - deadline >= 0;
  }
}
