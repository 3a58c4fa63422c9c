package dev.semantic.mlx.load;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * How fast work in the background may go: all the time while nobody computes, else one part in
 * {@value #PARTS}. Counted is the time on a core, not that of waiting for a disk: a core that is
 * taken for a millisecond holds up a step of decoding, which needs all of them, for as long. Used
 * by one thread.
 */
public final class Pace {
  private static final int PARTS = 10;
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private final BooleanSupplier computing;
  private long last;

  /**
   * Starts now.
   *
   * @param computing whether somebody is served at this moment
   */
  public Pace(BooleanSupplier computing) {
    this.computing = computing;
    this.last = used();
  }

  /** Whether somebody is served at this moment, who must not be held up. */
  boolean isGentle() {
    return computing.getAsBoolean();
  }

  /** Rests for as long as the work since the last time obliges to. */
  void rest() {
    if (isGentle()) {
      LockSupport.parkNanos((PARTS - 1) * (used() - last)); // an interrupt may shorten it
    }
    last = used();
  }

  /** What this thread has used; virtual threads are not told. */
  private static long used() {
    return Thread.currentThread().isVirtual() || !THREADS.isCurrentThreadCpuTimeSupported()
        ? System.nanoTime()
        : THREADS.getCurrentThreadCpuTime();
  }
}
