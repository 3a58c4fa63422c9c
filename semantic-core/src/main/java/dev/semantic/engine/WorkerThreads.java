package dev.semantic.engine;

import dev.semantic.log.Log;
import dev.semantic.timeline.Monitor;
import dev.semantic.timeline.ThreadFrame;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Threads that do one kind of work beside the scheduler. Nobody waits for them for ever, and those
 * that never come back do not pile up.
 */
final class WorkerThreads {
  private static final Log LOG = Log.of(WorkerThreads.class);
  private static final Duration LAST_READS = Duration.ofSeconds(10);

  private final Timeline timeline;
  private final Monitor monitor;
  private final String name;
  private final int most;
  private int threads;

  /**
   * None yet.
   *
   * @param most that are at work at a time, those that hang included
   */
  WorkerThreads(Timeline timeline, String name, int most) {
    this.name = name;
    this.most = most;
    this.timeline = timeline;
    this.monitor = timeline.monitor();
  }

  /**
   * Works on a thread of its own; it ends with what is the matter if there is none to be had, or
   * too many are at work.
   */
  void start(ThreadFrame.Work work) {
    try {
      startThread(work);
    } catch (Throwable t) {
      work.ended(t);
    }
  }

  private void startThread(ThreadFrame.Work work) {
    takeOne();
    boolean started = false;
    try {
      ThreadFrame.once(timeline, name, new Counted(work));
      started = true;
    } finally {
      if (!started) {
        count(-1);
      }
    }
  }

  private final class Counted implements ThreadFrame.Work {
    private final ThreadFrame.Work work;
    private boolean told;

    private Counted(ThreadFrame.Work work) {
      this.work = work;
    }

    @Override
    public void run() throws Throwable {
      work.run();
    }

    @Override
    public void ended(@Nullable Throwable thrown) {
      if (!told) {
        work.ended(thrown);
        told = true;
      }
      count(-1);
    }
  }

  private void takeOne() {
    monitor.lock();
    try {
      if (threads >= most) {
        throw new IllegalStateException(
            "%d threads called %s are at work already; the store does not come back"
                .formatted(threads, name));
      }
      threads++;
    } finally {
      monitor.unlock();
    }
  }

  private void count(int more) {
    monitor.lock();
    try {
      threads += more;
      monitor.signalAll();
    } finally {
      monitor.unlock();
    }
  }

  /** Waits for what is being done; not for ever. */
  void close() {
    long left = LAST_READS.toNanos();
    boolean interrupted = false;
    monitor.lock();
    try {
      while (threads > 0 && left > 0) {
        try {
          left = monitor.awaitNanos(left);
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (threads > 0) {
        LOG.warn(
            "{} threads called {} are still at work after {} s; nobody waits for them",
            threads,
            name,
            TimeUnit.NANOSECONDS.toSeconds(LAST_READS.toNanos()));
      }
    } finally {
      monitor.unlock();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
