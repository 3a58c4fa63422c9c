package dev.semantic.cache;

import dev.semantic.timeline.Parallel;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Pieces of work on files, for several threads: two cores take a cached file faster than one, and
 * while one waits for the disk another computes a checksum.
 */
final class FileJobs {
  private FileJobs() {}

  /** One piece; by any thread. */
  @FunctionalInterface
  interface Job {
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
    switch (failure.get()) {
      case null -> {}
      case IOException e -> throw e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case Throwable t -> throw new IllegalStateException(t);
    }
  }
}
