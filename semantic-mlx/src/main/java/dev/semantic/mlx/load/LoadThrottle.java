package dev.semantic.mlx.load;

import dev.semantic.spi.LoadPriority;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * How fast a load may go while somebody is served: with one core for one part in {@value
 * #BACKGROUND} of the time, or with all of them for one part in {@value #BALANCED}, by its
 * priority; with all of them all the time while nobody computes, or at once. Counted as work is the
 * time on a core, not that of waiting for a disk: a core that is taken for a millisecond holds up a
 * step of decoding, which needs all of them, for as long. What others take of the cores meanwhile
 * counts as rest: where a load has to wait for its turn anyway, it need not rest besides. Used by
 * one thread.
 */
public final class LoadThrottle {
  private static final int BACKGROUND = 10;
  private static final int BALANCED = 2;
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private final BooleanSupplier computing;
  private long last;
  private long lastMoment;

  /**
   * Starts now.
   *
   * @param computing whether somebody is served at this moment
   */
  public LoadThrottle(BooleanSupplier computing) {
    this.computing = computing;
    begin();
  }

  /** Whether one core is to work alone, in small pieces. */
  boolean isAlone(LoadPriority priority) {
    return priority == LoadPriority.BACKGROUND && computing.getAsBoolean();
  }

  private void begin() {
    last = used();
    lastMoment = System.nanoTime();
  }

  /** Rests for as long as this thread's work since the last time obliges to. */
  void rest(LoadPriority priority) {
    rest(priority, used() - last);
  }

  /** The same for work that took each of several cores so long. */
  void rest(LoadPriority priority, long worked) {
    if (priority != LoadPriority.AT_ONCE && computing.getAsBoolean()) {
      long whole = worked * (priority == LoadPriority.BACKGROUND ? BACKGROUND : BALANCED);
      long owed = whole - (System.nanoTime() - lastMoment);
      if (owed > 0) {
        LockSupport.parkNanos(owed); // an interrupt may shorten it
      }
    }
    begin();
  }

  /** What this thread has used; virtual threads are not told. */
  static long used() {
    return Thread.currentThread().isVirtual() || !THREADS.isCurrentThreadCpuTimeSupported()
        ? System.nanoTime()
        : THREADS.getCurrentThreadCpuTime();
  }
}
