package dev.semantic.mlx.load;

import dev.semantic.mlx.checkpoint.Checkpoint;
import dev.semantic.mlx.checkpoint.FileRange;
import dev.semantic.spi.LoadPriority;
import dev.semantic.spi.LoadProgress;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Brings a model's weights into the system's page cache, so that a load need not wait for a disk.
 * What is in the files besides, and is not computed with, stays on the disk.
 */
public final class ReadAhead {
  private static final long SLICE = 1 << 20;

  /** Slices that all cores wait for together: memory for pages is not had for nothing. */
  private static final int TOGETHER = 16;

  /** Slices that are asked of a disk before somebody waits for them: enough for its queues. */
  private static final int AHEAD = 96;

  private ReadAhead() {}

  /**
   * Reads everything in the order of the files, on this thread and, while nobody is served, those
   * that help it.
   *
   * @throws java.util.concurrent.CancellationException if {@code progress} says so
   * @throws dev.semantic.model.ModelException if the file cannot be read
   */
  public static void of(Checkpoint checkpoint, LoadProgress progress, LoadThrottle throttle) {
    List<FileRange> slices = slices(checkpoint);
    long total = slices.stream().mapToLong(FileRange::bytes).sum();
    long done = 0;
    int announced = 0;
    int count;
    for (int next = 0; next < slices.size(); next += count) {
      WeightReader.requireWanted(progress);
      progress.update(done, total);
      LoadPriority priority = progress.priority();
      boolean alone = throttle.isAlone(priority);
      count = alone ? 1 : Math.min(TOGETHER, slices.size() - next);
      List<FileRange> now = slices.subList(next, next + count);
      if (alone) {
        now.getFirst().await();
        throttle.rest(priority);
      } else {
        int from = Math.max(announced, next + count);
        announced = Math.max(from, Math.min(next + count + AHEAD, slices.size()));
        List<Runnable> tasks = new ArrayList<>();
        slices.subList(from, announced).forEach(part -> tasks.add(part::announce));
        now.forEach(part -> tasks.add(part::await));
        throttle.rest(priority, ParallelTasks.run(tasks));
      }
      done += now.stream().mapToLong(FileRange::bytes).sum();
    }
    progress.update(total, total);
  }

  private static List<FileRange> slices(Checkpoint checkpoint) {
    List<FileRange> slices = new ArrayList<>();
    for (FileRange part : FileRange.joined(all(checkpoint).toList())) {
      for (long at = 0; at < part.bytes(); at += SLICE) {
        slices.add(part.slice(at, Math.min(SLICE, part.bytes() - at)));
      }
    }
    return slices;
  }

  private static Stream<FileRange> all(Checkpoint checkpoint) {
    return checkpoint.tensors().entrySet().stream()
        .flatMap(tensor -> checkpoint.parts(tensor.getKey(), 0, tensor.getValue().rows()).stream());
  }
}
