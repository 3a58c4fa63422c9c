package dev.semantic.mlx.load;

import dev.semantic.mlx.checkpoint.Buffers;
import dev.semantic.mlx.checkpoint.FileRange;
import dev.semantic.spi.LoadPriority;
import dev.semantic.spi.LoadProgress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * Reads weights from their file into memory that is there already: with all cores, or gently while
 * somebody is served. Needs MLX's thread for nothing. Goes through the files from their beginning
 * to their end, tells the system what comes next, so that a disk and the cores work at the same
 * time, and what it has read, so that pages of files do not count beside the weights made of them.
 */
public final class WeightReader {
  /**
   * Bytes between two looks at whether the load is still wanted: some milliseconds of all cores.
   */
  private static final long SLICE = 8 << 20;

  /** How far ahead of what is written a disk is asked: enough for its queues. */
  private static final long AHEAD = 128 << 20;

  /** What one core writes at a time. */
  private static final long RUN = 1 << 20;

  private final List<Run> runs;
  private final long totalBytes;
  private final Queue<Buffers> idle = new ConcurrentLinkedQueue<>();

  /** Some rows of a tensor. */
  private record Run(TensorWriter writer, int first, int count) {
    long bytes() {
      return count * writer.rowBytes();
    }
  }

  /** Reads nothing yet. */
  WeightReader(List<TensorWriter> writers) {
    runs = runs(writers);
    totalBytes = bytes(runs);
  }

  /** All of the work in pieces of about one size: tensors differ by a thousand times. */
  private static List<Run> runs(List<TensorWriter> writers) {
    List<Run> runs = new ArrayList<>();
    writers.stream()
        .sorted(
            Comparator.comparing(WeightReader::begin, Comparator.nullsFirst(FileRange.inOrder())))
        .forEach(
            writer -> {
              int rows = writer.tensor().rows();
              int each = (int) Math.clamp(RUN / writer.rowBytes(), 1L, rows);
              for (int row = 0; row < rows; row += each) {
                runs.add(new Run(writer, row, Math.min(each, rows - row)));
              }
            });
    return runs;
  }

  private static @Nullable FileRange begin(TensorWriter writer) {
    List<FileRange> parts = writer.parts(0, 1);
    return parts.isEmpty() ? null : parts.getFirst();
  }

  /** Bytes of memory that are written. */
  public long totalBytes() {
    return totalBytes;
  }

  /**
   * Reads everything, on this thread and those that help it.
   *
   * @throws CancellationException if {@code progress} says so
   * @throws IllegalStateException if the memory is taken away meanwhile
   * @throws dev.semantic.model.ModelException if the file cannot be read
   */
  public void read(LoadProgress progress, LoadThrottle throttle) {
    long done = 0;
    int announced = 0;
    List<Run> slice;
    List<FileRange> read = List.of();
    for (int next = 0; next < runs.size(); next += slice.size()) {
      requireWanted(progress);
      LoadPriority priority = progress.priority();
      boolean alone = throttle.isAlone(priority);
      slice = from(next, alone ? 1 : SLICE);
      int ahead = Math.max(announced, next + from(next, AHEAD).size());
      List<FileRange> coming = parts(runs.subList(announced, ahead));
      announced = ahead;
      if (alone) {
        coming.forEach(FileRange::announce);
        slice.forEach(this::write);
        read.forEach(FileRange::letGo);
        throttle.rest(priority);
      } else {
        throttle.rest(priority, together(slice, coming, read));
      }
      read = parts(slice);
      done += bytes(slice);
      progress.update(done, totalBytes);
    }
    read.forEach(FileRange::letGo);
  }

  /** One at least, until there are so many bytes. */
  private List<Run> from(int first, long bytes) {
    int end = first;
    for (long taken = 0; taken < bytes && end < runs.size(); end++) {
      taken += runs.get(end).bytes();
    }
    return runs.subList(first, end);
  }

  /** Hints take time, too: the kernel looks for memory, or through all pages of a part. */
  private long together(List<Run> slice, List<FileRange> coming, List<FileRange> read) {
    List<Runnable> tasks = new ArrayList<>();
    coming.forEach(part -> tasks.add(part::announce));
    read.forEach(part -> tasks.add(part::letGo));
    slice.forEach(run -> tasks.add(() -> write(run)));
    return ParallelTasks.run(tasks);
  }

  private void write(Run run) {
    Buffers taken = idle.poll();
    Buffers buffers = taken == null ? new Buffers() : taken;
    run.writer().write(run.first(), run.count(), buffers);
    idle.add(buffers);
  }

  private static List<FileRange> parts(List<Run> runs) {
    return FileRange.joined(
        runs.stream()
            .flatMap(run -> run.writer().parts(run.first(), run.count()).stream())
            .toList());
  }

  private static long bytes(List<Run> runs) {
    return runs.stream().mapToLong(Run::bytes).sum();
  }

  static void requireWanted(LoadProgress progress) {
    if (progress.isCancelled()) {
      throw new CancellationException("The load was called off");
    }
  }
}
