package dev.semantic.timeline;

/** A thread that was started. */
public interface ThreadHandle {
  /** Waits until it has ended. */
  void join() throws InterruptedException;

  boolean isAlive();

  void interrupt();
}
