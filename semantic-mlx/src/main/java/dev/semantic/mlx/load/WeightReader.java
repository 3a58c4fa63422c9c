package dev.semantic.mlx.load;

import dev.semantic.mlx.weights.Scratch;
import dev.semantic.spi.LoadProgress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Reads weights from their file into memory that is there already: with all cores, or gently while
 * somebody is served. Needs MLX's thread for nothing.
 */
public final class WeightReader {
  /**
   * Bytes between two looks at whether the load is still wanted: some milliseconds of all cores.
   */
  private static final long SLICE = 16 << 20;

  /** What one core writes at a time. */
  private static final long RUN = 1 << 20;

  private final List<RowWriter> writers;
  private final Runnable release;
  private final Queue<Scratch> idle = new ConcurrentLinkedQueue<>();
  private final long totalBytes;

  /**
   * Reads nothing yet.
   *
   * @param release gives back what was read of the file; each time costs a word with every core
   */
  WeightReader(List<RowWriter> writers, Runnable release) {
    this.writers = writers;
    this.release = release;
    this.totalBytes = writers.stream().mapToLong(RowWriter::bytes).sum();
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
  public void read(LoadProgress progress, Pace pace) {
    long done = 0;
    long held = 0;
    Deque<Run> runs = runs();
    while (!runs.isEmpty()) {
      requireWanted(progress);
      boolean gentle = progress.isBackground();
      List<Run> slice = next(runs, gentle ? 1 : SLICE);
      long bytes = slice.stream().mapToLong(Run::bytes).sum();
      if (gentle) {
        slice.forEach(this::write);
        pace.rest();
      } else {
        slice.parallelStream().forEach(this::write);
      }
      held += bytes;
      if (held >= SLICE || runs.isEmpty()) {
        release.run();
        held = 0;
      }
      done += bytes;
      progress.update(done, totalBytes);
    }
  }

  /** One at least, until there are so many bytes. */
  private static List<Run> next(Deque<Run> runs, long bytes) {
    List<Run> slice = new ArrayList<>();
    for (long taken = 0; taken < bytes && !runs.isEmpty(); taken += slice.getLast().bytes()) {
      slice.add(runs.removeFirst());
    }
    return slice;
  }

  /** Some rows of a tensor. */
  private record Run(RowWriter writer, int first, int count) {
    long bytes() {
      return count * writer.rowBytes();
    }
  }

  /** All of the work in pieces of about one size: tensors differ by a thousand times. */
  private Deque<Run> runs() {
    Deque<Run> runs = new ArrayDeque<>();
    for (RowWriter writer : writers) {
      int rows = writer.tensor().rows();
      int count = (int) Math.clamp(RUN / writer.rowBytes(), 1L, rows);
      for (int row = 0; row < rows; row += count) {
        runs.add(new Run(writer, row, Math.min(count, rows - row)));
      }
    }
    return runs;
  }

  private void write(Run run) {
    Scratch taken = idle.poll();
    Scratch scratch = taken == null ? new Scratch() : taken;
    run.writer().write(run.first(), run.count(), scratch);
    idle.add(scratch);
  }

  static void requireWanted(LoadProgress progress) {
    if (progress.isCancelled()) {
      throw new CancellationException("The load was called off");
    }
  }
}
