package dev.semantic.mlx.convert;

import dev.semantic.mlx.checkpoint.Checkpoint;
import dev.semantic.spi.LoadProgress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.stream.IntStream;

/** Writes all weights, one tensor after the other, with all cores at some rows of each. */
final class WeightWriter {
  /** Bytes between two looks at whether the conversion is still wanted. */
  private static final long SLICE = 32 << 20;

  /** What one core writes at a time. */
  private static final long RUN = 1 << 20;

  private final Checkpoint checkpoint;
  private final LoadProgress progress;
  private final long totalBytes;
  private long done;
  private boolean exact = true;

  WeightWriter(Checkpoint checkpoint, LoadProgress progress, long totalBytes) {
    this.checkpoint = checkpoint;
    this.progress = progress;
    this.totalBytes = totalBytes;
  }

  /**
   * Writes the files.
   *
   * @return whether every weight means what it meant
   */
  boolean write(List<ShardLayout> shards, TargetDirectory place) throws IOException {
    for (ShardLayout shard : shards) {
      try (ShardFile file = ShardFile.create(place.file(shard.fileName()), shard)) {
        for (TensorPlan tensor : shard.tensors()) {
          write(tensor, file);
        }
      } catch (UncheckedIOException e) {
        throw e.getCause();
      }
    }
    return exact;
  }

  private void write(TensorPlan tensor, ShardFile file) {
    RowConverter converter = new RowConverter(checkpoint, tensor, file);
    int rows = tensor.tensor().rows();
    long rowBytes = tensor.form().rowBytes(tensor.tensor().columns());
    int count;
    for (int row = 0; row < rows; row += count) {
      requireWanted();
      count = (int) Math.clamp(SLICE / rowBytes, 1L, rows - row);
      exact &= together(converter, row, count, (int) Math.clamp(RUN / rowBytes, 1L, count));
      done += count * rowBytes;
      progress.update(done, totalBytes);
    }
  }

  private static boolean together(RowConverter converter, int first, int count, int each) {
    return IntStream.range(0, Math.ceilDiv(count, each))
        .parallel()
        .mapToObj(run -> converter.convert(first + run * each, Math.min(each, count - run * each)))
        .reduce(true, Boolean::logicalAnd);
  }

  private void requireWanted() {
    if (progress.isCancelled() || Thread.currentThread().isInterrupted()) {
      throw new CancellationException("The conversion was called off; nothing is left of it");
    }
  }
}
