package dev.semantic.mlx.load;

import java.util.List;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;

/**
 * All cores at one list of tasks: each takes the next one when it is done with its last. To share
 * them out beforehand, as a parallel stream does, leaves a core idle at the end of each list.
 */
final class ParallelTasks {
  private ParallelTasks() {}

  /**
   * Returns when all are done; what one of them throws ends that core's share and is thrown.
   *
   * @return nanoseconds that each core worked, on average
   */
  static long run(List<Runnable> tasks) {
    if (tasks.isEmpty()) {
      return 0;
    }
    LongAdder worked = new LongAdder();
    AtomicInteger next = new AtomicInteger();
    int cores = Math.min(tasks.size(), ForkJoinPool.getCommonPoolParallelism() + 1);
    IntStream.range(0, cores)
        .parallel()
        .forEach(
            core -> {
              long before = LoadThrottle.used();
              for (int i = next.getAndIncrement(); i < tasks.size(); i = next.getAndIncrement()) {
                tasks.get(i).run();
              }
              worked.add(LoadThrottle.used() - before);
            });
    return worked.sum() / cores;
  }
}
