package dev.semantic.timeline;

import java.time.Duration;

/** Something that happens once, and can be waited for, but never for ever. */
public final class Latch {
  private final Timeline timeline;
  private final Monitor monitor;
  private boolean open;

  public Latch(Timeline timeline) {
    this.timeline = timeline;
    this.monitor = timeline.monitor();
  }

  /** It has happened. Allocates nothing. */
  public void open() {
    monitor.lock();
    try {
      open = true;
      monitor.signalAll();
    } finally {
      monitor.unlock();
    }
  }

  /** Whether it has happened within that time. An interrupt is kept, and shortens nothing. */
  public boolean await(Duration atMost) {
    boolean interrupted = Thread.interrupted();
    long end = timeline.nanoTime() + atMost.toNanos();
    monitor.lock();
    try {
      for (long left = atMost.toNanos(); !open && left > 0; left = end - timeline.nanoTime()) {
        try {
          monitor.awaitNanos(left);
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      return open;
    } finally {
      monitor.unlock();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
