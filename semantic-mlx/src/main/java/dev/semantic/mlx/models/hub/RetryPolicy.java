package dev.semantic.mlx.models.hub;

import java.time.Duration;
import java.util.Optional;

/**
 * How often and how long one waits for a hub that is busy or out of reach: twice as long each time,
 * or as long as the hub asks.
 *
 * @param attempts in a row without a byte, before it is given up
 * @param first the first pause
 * @param most the longest pause; who is asked to wait longer gives up
 * @param silence how long a server may send nothing
 * @param sleeper passes the time
 */
public record RetryPolicy(
    int attempts, Duration first, Duration most, Duration silence, Sleeper sleeper) {
  /** Passes time; a test's only writes down how much. */
  @FunctionalInterface
  public interface Sleeper {
    void sleep(Duration time) throws InterruptedException;
  }

  /** Five attempts, within half a minute where the hub asks for nothing else. */
  public static final RetryPolicy USUAL =
      new RetryPolicy(
          5, Duration.ofSeconds(1), Duration.ofMinutes(5), Duration.ofSeconds(30), Thread::sleep);

  /**
   * How long to wait after so many failures in a row.
   *
   * @param failures from one
   * @return empty if it is to be given up
   */
  Optional<Duration> after(int failures, Optional<Duration> asked) {
    if (failures >= attempts) {
      return Optional.empty();
    }
    Duration pause = asked.orElse(first.multipliedBy(1L << Math.min(failures - 1, 20)));
    if (pause.compareTo(most) <= 0) {
      return Optional.of(pause);
    }
    return asked.isPresent() ? Optional.empty() : Optional.of(most);
  }
}
