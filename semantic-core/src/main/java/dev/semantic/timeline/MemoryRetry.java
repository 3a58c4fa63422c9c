package dev.semantic.timeline;

import java.time.Duration;

/**
 * Does again what failed for want of memory, after a pause, for a minute at most. Made before it is
 * needed: it allocates nothing itself. What it does must be able to be done again.
 */
public final class MemoryRetry {
  private static final int MOST_TRIES = 600;
  private static final long SHORTEST = Duration.ofMillis(1).toNanos();
  private static final int LONGEST_SHIFT = 7; // 128 ms
  private static final long LONGEST = Duration.ofMinutes(1).toNanos();

  private final Timeline timeline;
  private final Monitor pause;

  public MemoryRetry(Timeline timeline) {
    this.timeline = timeline;
    this.pause = timeline.monitor();
  }

  /** Does it until there is memory for all of it. Whatever else it throws goes through. */
  public void run(Runnable task) {
    long begun = timeline.nanoTime();
    for (int tries = 0; ; tries++) {
      try {
        task.run();
        return;
      } catch (OutOfMemoryError e) {
        if (timeline.nanoTime() - begun > LONGEST || !rest(tries)) {
          throw e;
        }
      }
    }
  }

  /**
   * A pause after a try that failed; an interrupt shortens it.
   *
   * @param tries how many have failed before that one
   * @return false if there should be no other
   */
  public boolean rest(int tries) {
    try {
      pause.lock();
      try {
        pause.awaitNanos(SHORTEST << Math.min(tries, LONGEST_SHIFT));
      } finally {
        pause.unlock();
      }
    } catch (Throwable t) { // whatever it is, it was a pause
      return tries < MOST_TRIES;
    }
    return tries < MOST_TRIES;
  }
}
