package dev.semantic.timeline;

import java.time.Instant;

/**
 * Time, threads and locks. Whatever in the core waits, starts a thread or looks at a clock does it
 * through one of these, so that a simulation can decide who goes on, and when.
 */
public interface Timeline {
  /** The machine's own. */
  Timeline SYSTEM = new SystemTimeline();

  /** As {@link System#nanoTime()}. */
  long nanoTime();

  /** The time of day. */
  Instant now();

  /** A new lock with one condition. */
  Monitor monitor();

  /** Starts a daemon thread. For {@link ThreadFrame}, which is how the core starts one. */
  ThreadHandle start(String name, Runnable body);
}
