package dev.semantic.mlx.load;

import dev.semantic.mlx.weights.FilePart;
import dev.semantic.spi.LoadProgress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CancellationException;

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
  private static final long SLICE = 32 << 20;

  /** The same beside a model that may be asked at any moment. */
  private static final long BESIDE = 8 << 20;

  /** How far ahead of what is written a disk is asked: enough for its queues. */
  private static final long AHEAD = 128 << 20;

  /** What one core writes at a time. */
  private static final long RUN = 1 << 20;

  private final List<RowWriter> writers;
  private final long totalBytes;

  /** Rows that are written together. */
  private record Piece(RowWriter writer, int first, int count) {
    long bytes() {
      return count * writer.rowBytes();
    }

    List<FilePart> parts() {
      return writer.parts(first, count);
    }
  }

  WeightReader(List<RowWriter> writers) {
    this.writers =
        writers.stream()
            .sorted(Comparator.comparing(WeightReader::begin, FilePart.inOrder()))
            .toList();
    this.totalBytes = writers.stream().mapToLong(RowWriter::bytes).sum();
  }

  private static FilePart begin(RowWriter writer) {
    return writer.parts(0, 1).getFirst();
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
    List<Piece> pieces = pieces(progress.isBackground() ? BESIDE : SLICE);
    long done = 0;
    long announced = 0;
    int next = 0;
    for (Piece piece : pieces) {
      requireWanted(progress);
      List<FilePart> ahead = new ArrayList<>();
      for (; next < pieces.size() && announced < done + AHEAD; next++) {
        ahead.addAll(pieces.get(next).parts());
        announced += pieces.get(next).bytes();
      }
      if (progress.isBackground() && pace.isGentle()) {
        ahead.forEach(FilePart::announce);
        writeGently(piece, progress, pace);
      } else {
        writeTogether(piece, ahead);
      }
      piece.parts().forEach(FilePart::letGo);
      done += piece.bytes();
      progress.update(done, totalBytes);
    }
  }

  private List<Piece> pieces(long bytes) {
    List<Piece> pieces = new ArrayList<>();
    for (RowWriter writer : writers) {
      int rows = writer.tensor().rows();
      int each = (int) Math.clamp(bytes / writer.rowBytes(), 1L, rows);
      for (int row = 0; row < rows; row += each) {
        pieces.add(new Piece(writer, row, Math.min(each, rows - row)));
      }
    }
    return pieces;
  }

  private static void writeGently(Piece piece, LoadProgress progress, Pace pace) {
    RowWriter writer = piece.writer();
    int each = (int) Math.clamp(RUN / writer.rowBytes(), 1L, piece.count());
    for (int row = 0; row < piece.count(); row += each) {
      requireWanted(progress);
      writer.write(piece.first() + row, Math.min(each, piece.count() - row));
      pace.rest();
    }
  }

  /** To announce takes time, too: the kernel looks for memory then. */
  private static void writeTogether(Piece piece, List<FilePart> ahead) {
    RowWriter writer = piece.writer();
    int each = (int) Math.clamp(RUN / writer.rowBytes(), 1L, piece.count());
    List<Runnable> tasks = new ArrayList<>();
    ahead.forEach(part -> tasks.add(part::announce));
    for (int row = 0; row < piece.count(); row += each) {
      int first = piece.first() + row;
      int count = Math.min(each, piece.count() - row);
      tasks.add(() -> writer.write(first, count));
    }
    Together.run(tasks);
  }

  static void requireWanted(LoadProgress progress) {
    if (progress.isCancelled()) {
      throw new CancellationException("The load was called off");
    }
  }
}
