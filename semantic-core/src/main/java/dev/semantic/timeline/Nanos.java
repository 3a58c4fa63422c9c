package dev.semantic.timeline;

import java.time.Duration;
import java.time.temporal.ChronoUnit;

/**
 * Durations on a {@link Timeline}'s clock, however long they are: what is more than a year counts
 * as for ever, which is {@link Long#MAX_VALUE} and never reached. Nothing here overflows.
 */
public final class Nanos {
  /** What is never over. */
  public static final long FOREVER = Long.MAX_VALUE;

  private static final Duration LONGEST = Duration.ofDays(365);

  private Nanos() {}

  /** Its nanoseconds, 0 if it is negative. */
  public static long of(Duration duration) {
    if (duration.isNegative()) {
      return 0;
    }
    return duration.compareTo(LONGEST) > 0 ? FOREVER : duration.toNanos();
  }

  /** The moment so long after {@code now}. */
  public static long after(long now, Duration duration) {
    long nanos = of(duration);
    if (nanos == FOREVER) {
      return FOREVER;
    }
    long moment = now + nanos; // may wrap around, as the clock does
    return moment == FOREVER ? FOREVER - 1 : moment;
  }

  /** What is left from {@code now} until a moment; 0 or less once it has come. */
  public static long until(long moment, long now) {
    return moment == FOREVER ? FOREVER : moment - now;
  }

  /** So many times as long, at most for ever. */
  public static Duration times(Duration duration, long factor) {
    try {
      return duration.multipliedBy(factor);
    } catch (ArithmeticException tooLong) {
      return ChronoUnit.FOREVER.getDuration();
    }
  }
}
