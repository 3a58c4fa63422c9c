package dev.semantic.timeline;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A reentrant lock with one condition, as {@link java.util.concurrent.locks.ReentrantLock} and its
 * {@code Condition} have them.
 */
public interface Monitor {
  void lock();

  void unlock();

  /** Lets go of the lock until somebody signals; may wake for no reason. */
  void await() throws InterruptedException;

  /**
   * The same, but not longer than {@code nanos}.
   *
   * @return what is left of them; 0 or less when time ran out
   */
  long awaitNanos(long nanos) throws InterruptedException;

  /** Wakes all who wait. */
  void signalAll();

  /** Does something while the current thread holds the lock. */
  default void holding(Runnable task) {
    lock();
    try {
      task.run();
    } finally {
      unlock();
    }
  }

  /** The same, for what it gives. */
  default <T extends @Nullable Object> T holding(Supplier<T> task) {
    lock();
    try {
      return task.get();
    } finally {
      unlock();
    }
  }
}
