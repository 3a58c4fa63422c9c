package dev.semantic.mlx.load;

import dev.semantic.spi.LoadProgress;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.stream.IntStream;

/**
 * Reads weights from their file into memory that is there already: with all cores, or gently while
 * somebody is served. Needs MLX's thread for nothing.
 */
public final class WeightReader {
  /**
   * Bytes between two looks at whether the load is still wanted: some milliseconds of all cores.
   */
  private static final long SLICE = 32 << 20;

  /** What one core writes at a time. */
  private static final long RUN = 1 << 20;

  private final List<RowWriter> writers;
  private final long totalBytes;

  WeightReader(List<RowWriter> writers) {
    this.writers = writers;
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
    for (RowWriter writer : writers) {
      int rows = writer.tensor().rows();
      int count;
      for (int row = 0; row < rows; row += count) {
        requireWanted(progress);
        boolean gentle = progress.isBackground();
        count = (int) Math.clamp((gentle ? RUN : SLICE) / writer.rowBytes(), 1L, rows - row);
        if (gentle) {
          writer.write(row, count);
          pace.rest();
        } else {
          writeTogether(writer, row, count);
        }
        done += count * writer.rowBytes();
        progress.update(done, totalBytes);
      }
    }
  }

  private static void writeTogether(RowWriter writer, int first, int count) {
    int each = (int) Math.clamp(RUN / writer.rowBytes(), 1L, count);
    if (each == count) {
      writer.write(first, count);
      return;
    }
    IntStream.range(0, Math.ceilDiv(count, each))
        .parallel()
        .forEach(run -> writer.write(first + run * each, Math.min(each, count - run * each)));
  }

  static void requireWanted(LoadProgress progress) {
    if (progress.isCancelled()) {
      throw new CancellationException("The load was called off");
    }
  }
}
