package dev.semantic.store.format;

import dev.semantic.log.Log;
import dev.semantic.timeline.Parallel;
import dev.semantic.timeline.ThreadFrame;
import dev.semantic.timeline.ThreadHandle;
import dev.semantic.timeline.Timeline;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Pieces of work on files, for several threads: two cores take a cached file faster than one, and
 * while one waits for the disk another computes a checksum.
 */
public final class FileJobs {
  private static final Log LOG = Log.of(FileJobs.class);

  /** A disk takes many at once, and a journal writes for all who wait; more do not help. */
  private static final int MOST_WAITING = 16;

  private FileJobs() {}

  /** One piece; by any thread. */
  @FunctionalInterface
  public interface Job {
    void run() throws IOException;
  }

  /**
   * Does all of them, or, once one has failed, none that has not been begun.
   *
   * @throws IOException what failed first; whatever it is, none is under way any more
   */
  static void runAll(List<Job> jobs) throws IOException {
    AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    Parallel.each(
        jobs,
        job -> {
          try {
            if (failure.get() == null) {
              job.run();
            }
          } catch (Throwable t) {
            failure.compareAndSet(null, t);
          }
        });
    rethrow(failure.get());
  }

  /**
   * Does all of them, which wait for the disk and hardly compute: more at once than there are
   * cores. None of them may throw.
   */
  public static void runAllWaiting(List<Runnable> jobs) {
    AtomicInteger next = new AtomicInteger();
    Some some = new Some(jobs, next);
    List<ThreadHandle> others = new ArrayList<>();
    try {
      while (others.size() + 1 < Math.min(MOST_WAITING, jobs.size())) {
        others.add(ThreadFrame.once(Timeline.SYSTEM, "semantic-park-sync", some));
      }
    } catch (Throwable t) { // no more threads, say: those that there are do it
      LOG.debug("Only {} threads write to the disk at once", others.size() + 1, t);
    }
    try {
      some.run();
    } finally {
      others.forEach(FileJobs::join);
    }
  }

  /** As many of them as one thread gets to. */
  private record Some(List<Runnable> jobs, AtomicInteger next) implements ThreadFrame.Work {
    @Override
    public void run() {
      for (int i = next.getAndIncrement(); i < jobs.size(); i = next.getAndIncrement()) {
        jobs.get(i).run();
      }
    }

    @Override
    public void ended(@Nullable Throwable thrown) {
      // whoever waits joins the thread
    }
  }

  private static void join(ThreadHandle thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static void rethrow(@Nullable Throwable failure) throws IOException {
    if (failure instanceof IOException e) {
      throw e;
    }
    if (failure instanceof RuntimeException e) {
      throw e;
    }
    if (failure instanceof Error e) {
      throw e;
    }
    if (failure != null) {
      throw new IllegalStateException(failure);
    }
  }
}
