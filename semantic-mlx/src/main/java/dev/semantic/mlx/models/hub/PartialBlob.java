package dev.semantic.mlx.models.hub;

import dev.semantic.io.PrivateFiles;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A blob that is not whole yet: a file with holes, and beside it how far each of its ranges has
 * come, so that a later fetch goes on there. The name is not the one of Python's tools, which would
 * take a file of full length for a whole one. What the numbers claim is believed only until the
 * checksum is taken. Each range belongs to one thread; different ranges, to different ones.
 */
final class PartialBlob {
  private static final Logger LOG = LoggerFactory.getLogger(PartialBlob.class);
  private static final String FORMAT = "semantic-ranges-1";
  private static final long SMALLEST_RANGE = 8L << 20;
  private static final long LARGEST_RANGE = 64L << 20;
  private static final int RANGES = 64;
  private static final int NONE = -1;

  private final RemoteFile file;
  private final Path part;
  private final Path notes;
  private final long rangeBytes;
  private final AtomicLongArray done;
  private final AtomicInteger streamer = new AtomicInteger(NONE);
  private String noted = "";

  private PartialBlob(RemoteFile file, Path blobs, long rangeBytes) {
    this.file = file;
    this.part = blobs.resolve(file.etag() + ".semantic.incomplete");
    this.notes = blobs.resolve(file.etag() + ".semantic.ranges");
    this.rangeBytes = rangeBytes;
    int count = Math.toIntExact(Math.max(1, Math.ceilDiv(file.sizeBytes(), rangeBytes)));
    this.done = new AtomicLongArray(count);
  }

  /** What an earlier fetch left of the file in {@code blobs}, or nothing of it. */
  static PartialBlob of(RemoteFile file, Path blobs) {
    long usual = Math.ceilDiv(file.sizeBytes(), RANGES);
    return of(file, blobs, Math.clamp(usual, SMALLEST_RANGE, LARGEST_RANGE));
  }

  static PartialBlob of(RemoteFile file, Path blobs, long rangeBytes) {
    PartialBlob blob = new PartialBlob(file, blobs, rangeBytes);
    blob.remember();
    return blob;
  }

  private String head() {
    return "%s %d %d".formatted(FORMAT, file.sizeBytes(), rangeBytes);
  }

  private void remember() {
    try {
      if (!Files.isRegularFile(notes) || !Files.isRegularFile(part)) {
        return;
      }
      List<String> lines = Files.readString(notes).lines().toList();
      if (lines.size() != 2 || !lines.getFirst().equals(head())) {
        return;
      }
      long[] counts =
          Arrays.stream(lines.getLast().split(" ", -1)).mapToLong(Long::parseLong).toArray();
      if (counts.length != ranges() || Files.size(part) > file.sizeBytes()) {
        return;
      }
      for (int i = 0; i < counts.length; i++) {
        long written = Math.max(0, Math.min(counts[i], Files.size(part) - start(i)));
        done.set(i, Math.min(written, length(i)));
      }
    } catch (IOException | NumberFormatException e) {
      LOG.debug("Cannot go on from {}; beginning anew", notes, e);
    }
  }

  RemoteFile file() {
    return file;
  }

  Path part() {
    return part;
  }

  int ranges() {
    return done.length();
  }

  long start(int range) {
    return range * rangeBytes;
  }

  long length(int range) {
    return Math.min(rangeBytes, file.sizeBytes() - start(range));
  }

  /** How much of a range is here. */
  long done(int range) {
    return done.get(range);
  }

  long missing(int range) {
    return length(range) - done(range);
  }

  /** How much of the file is here. */
  long done() {
    long sum = 0;
    for (int i = 0; i < ranges(); i++) {
      sum += done(i);
    }
    return sum;
  }

  /** Whether the range that asks is the one to take the whole file in a stream: the first is. */
  boolean claimStream(int range) {
    return streamer.compareAndSet(NONE, range) || streamer.get() == range;
  }

  /** Whether another range takes the whole file in a stream. */
  boolean isStreamedBeside(int range) {
    return streamer.get() != NONE && streamer.get() != range;
  }

  /** Opens the file for one thread; not as a channel, which an interrupt would close. */
  RandomAccessFile open() throws IOException {
    PrivateFiles.openReadable(part, Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE))
        .close(); // no link, and nobody else's to write to
    return new RandomAccessFile(part.toFile(), "rw");
  }

  /** So many bytes more of a range are written. */
  void advance(int range, long bytes) {
    done.addAndGet(range, bytes);
  }

  /** The file is written from its beginning up to here, and nothing is known beyond. */
  void streamedTo(long end) {
    for (int i = 0; i < ranges(); i++) {
      done.set(i, Math.clamp(end - start(i), 0, length(i)));
    }
  }

  /** Writes down how far it has come. Failing that costs a repetition, nothing else. */
  synchronized void note() {
    try {
      String counts =
          IntStream.range(0, ranges())
              .mapToObj(i -> Long.toString(done(i)))
              .collect(Collectors.joining(" "));
      if (!counts.equals(noted) && Files.exists(part)) {
        HubCache.replace(notes, head() + "\n" + counts + "\n");
        noted = counts;
      }
    } catch (IOException e) {
      LOG.debug("Cannot write {}", notes, e);
    }
  }

  /**
   * Compares what has come with its checksum, and gives it its name if it holds.
   *
   * @throws HubException if it does not; nothing is left then
   */
  void finish(Path blob) throws IOException {
    if (file.sizeBytes() == 0) {
      open().close(); // nothing has come, and nothing had to
    }
    String found = Digests.of(part, file.etag());
    if (!found.equals(file.etag())) {
      discard();
      throw HubException.lasting(
          "%s has %s %s, expected %s. What has come of it has been deleted; fetch again"
              .formatted(file.path(), Digests.name(file.etag()), found, file.etag()));
    }
    try (RandomAccessFile whole = open()) {
      whole.getFD().sync();
    }
    Files.move(part, blob, StandardCopyOption.ATOMIC_MOVE);
    Files.deleteIfExists(notes);
  }

  /** Forgets all of it. */
  void discard() throws IOException {
    Files.deleteIfExists(notes);
    Files.deleteIfExists(part);
    for (int i = 0; i < ranges(); i++) {
      done.set(i, 0);
    }
  }
}
