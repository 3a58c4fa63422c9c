package dev.semantic.engine;

/**
 * A request in the queue.
 *
 * @param submitted {@link System#nanoTime()}
 * @param deadline the same clock; {@link Long#MAX_VALUE} for none
 */
record Ticket(GenerationRequest request, Generation generation, long submitted, long deadline) {
  static Ticket of(GenerationRequest request, long now, long longestWait) {
    long wait =
        Math.min(longestWait, request.deadline().map(d -> saturated(d)).orElse(Long.MAX_VALUE));
    long deadline = wait == Long.MAX_VALUE ? Long.MAX_VALUE : now + wait;
    return new Ticket(request, new Generation(), now, deadline);
  }

  private static long saturated(java.time.Duration duration) {
    return duration.compareTo(java.time.Duration.ofDays(365)) > 0
        ? Long.MAX_VALUE
        : duration.toNanos();
  }

  boolean expired(long now) {
    return deadline != Long.MAX_VALUE && now - deadline >= 0;
  }
}
