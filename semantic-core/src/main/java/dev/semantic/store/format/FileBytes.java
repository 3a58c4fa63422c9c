package dev.semantic.store.format;

import dev.semantic.log.Log;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of an open file, by position; several threads may read at once. Mapped into memory
 * where the file system can, so that what is read often costs no call and what is in the page cache
 * no second copy.
 *
 * <p>What is mapped is copied before anybody looks at it: if somebody cuts the file off meanwhile,
 * Java can turn the fault into an error there, but not within its checksum routine.
 */
final class FileBytes {
  private static final Log LOG = Log.of(FileBytes.class);

  private final FileChannel channel;
  private final @Nullable MappedByteBuffer map;

  private FileBytes(FileChannel channel, @Nullable MappedByteBuffer map) {
    this.channel = channel;
    this.map = map;
  }

  /** Read piece by piece: for a header. */
  static FileBytes of(FileChannel channel) {
    return new FileBytes(channel, null);
  }

  /** For all of the file. */
  static FileBytes mapped(FileChannel channel) throws IOException {
    long size = channel.size();
    if (size > Integer.MAX_VALUE) {
      return of(channel);
    }
    try {
      return new FileBytes(channel, channel.map(MapMode.READ_ONLY, 0, size));
    } catch (UnsupportedOperationException | IOException e) {
      LOG.debug("A file cannot be mapped; it is read", e);
      return of(channel);
    }
  }

  /** Fills {@code target} up to its limit. */
  void read(String what, long offset, ByteBuffer target) throws IOException {
    if (map == null) {
      readByPosition(what, offset, target);
      return;
    }
    int length = target.remaining();
    if (offset + length > map.capacity()) {
      throw ends(map.capacity(), what);
    }
    try {
      target.put(map.slice((int) offset, length));
    } catch (InternalError e) { // a page that is not there any more
      throw new IOException("it was cut off or became unreadable while it was read, in " + what, e);
    }
  }

  private void readByPosition(String what, long offset, ByteBuffer target) throws IOException {
    long at = offset;
    while (target.hasRemaining()) {
      int count = channel.read(target, at);
      if (count < 0) {
        throw ends(at, what);
      }
      at += count;
    }
  }

  private static CacheFileException ends(long at, String what) {
    return CacheFileException.damaged("it ends at offset %d, in %s".formatted(at, what));
  }
}
