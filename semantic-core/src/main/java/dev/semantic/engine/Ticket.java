package dev.semantic.engine;

import java.time.Duration;
import java.time.temporal.ChronoUnit;

/**
 * A request in the queue.
 *
 * @param submitted {@link System#nanoTime()}
 * @param deadline the same clock: when it must have been begun; {@link Long#MAX_VALUE} for never
 * @param limit the same clock: when it must have ended; {@link Long#MAX_VALUE} for never
 */
record Ticket(
    GenerationRequest request, Generation generation, long submitted, long deadline, long limit) {
  static Ticket of(
      GenerationRequest request, Generation generation, long now, Duration longestWait) {
    Duration wait =
        request.deadline().filter(own -> own.compareTo(longestWait) < 0).orElse(longestWait);
    Duration all = request.timeLimit().orElse(ChronoUnit.FOREVER.getDuration());
    Duration first = all.compareTo(wait) < 0 ? all : wait;
    return new Ticket(request, generation, now, deadline(now, first), deadline(now, all));
  }

  /** The time after {@code wait}, on the clock of {@code now}. */
  static long deadline(long now, Duration wait) {
    long nanos = nanos(wait);
    return nanos == Long.MAX_VALUE ? Long.MAX_VALUE : now + nanos;
  }

  /** More than a year counts as for ever, less than nothing as nothing. */
  static long nanos(Duration duration) {
    if (duration.isNegative()) {
      return 0;
    }
    return duration.compareTo(Duration.ofDays(365)) > 0 ? Long.MAX_VALUE : duration.toNanos();
  }

  int priority() {
    return request.priority();
  }

  boolean expired(long now) {
    return deadline != Long.MAX_VALUE && now - deadline >= 0;
  }

  /** Nanoseconds until it must have ended; 0 or less once it must have. */
  long untilLimit(long now) {
    return limit == Long.MAX_VALUE ? Long.MAX_VALUE : limit - now;
  }

  /** Whether nobody wants more of it: it was cancelled, or has taken all its time. */
  boolean isOver(long now) {
    return generation.isCancelled() || untilLimit(now) <= 0;
  }

  /** Why one that is over ends. */
  FinishReason end() {
    return generation.isCancelled() ? FinishReason.CANCELLED : FinishReason.TIME_LIMIT;
  }
}
