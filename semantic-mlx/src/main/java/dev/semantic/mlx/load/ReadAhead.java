package dev.semantic.mlx.load;

import dev.semantic.mlx.weights.Checkpoint;
import dev.semantic.spi.LoadProgress;

/** Brings a model's file into the system's page cache, so that a load need not wait for a disk. */
public final class ReadAhead {
  private static final long SLICE = 4 << 20;
  private static final long GENTLE_SLICE = 1 << 20;

  private ReadAhead() {}

  /**
   * Reads the whole file, on this thread.
   *
   * @throws java.util.concurrent.CancellationException if {@code progress} says so
   * @throws dev.semantic.model.ModelException if the file cannot be read
   */
  public static void of(Checkpoint checkpoint, LoadProgress progress, Pace pace) {
    long total = checkpoint.fileBytes();
    long slice;
    for (long done = 0; done < total; done += slice) {
      WeightReader.requireWanted(progress);
      progress.update(done, total);
      boolean gentle = progress.isBackground();
      slice = Math.min(gentle ? GENTLE_SLICE : SLICE, total - done);
      checkpoint.readAhead(done, slice);
      if (gentle) {
        pace.rest();
      }
    }
    progress.update(total, total);
  }
}
