package dev.semantic.store.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A channel of a {@link FaultyDisk}. A write that fails has put half of its bytes on the disk
 * before, as a full disk does; reads and writes that succeed do so in two parts.
 */
final class FaultyChannel extends FileChannel {
  private static final int LITTLE = 16;

  private final FaultyDisk disk;
  private final Path path;
  private final FileChannel real;

  FaultyChannel(FaultyDisk disk, Path path, FileChannel real) {
    this.disk = disk;
    this.path = path;
    this.real = real;
  }

  /** Does part of what is asked, as a real channel may; of little, all. */
  private static ByteBuffer part(ByteBuffer bytes) {
    int half = Math.max(LITTLE, (bytes.remaining() + 1) / 2);
    return bytes.slice(bytes.position(), Math.min(half, bytes.remaining()));
  }

  @Override
  public int read(ByteBuffer bytes) throws IOException {
    disk.before("read", path);
    int count = real.read(part(bytes));
    bytes.position(bytes.position() + Math.max(0, count));
    return count;
  }

  @Override
  public int read(ByteBuffer bytes, long position) throws IOException {
    disk.before("read", path);
    int count = real.read(part(bytes), position);
    bytes.position(bytes.position() + Math.max(0, count));
    return count;
  }

  @Override
  public int write(ByteBuffer bytes) throws IOException {
    int count = real.write(part(bytes));
    disk.before("write", path);
    bytes.position(bytes.position() + count);
    return count;
  }

  @Override
  public int write(ByteBuffer bytes, long position) throws IOException {
    disk.before("write", path);
    return real.write(bytes, position);
  }

  @Override
  public long size() throws IOException {
    disk.before("size", path);
    return real.size();
  }

  @Override
  public FileChannel truncate(long size) throws IOException {
    disk.before("truncate", path);
    real.truncate(size);
    return this;
  }

  /**
   * Remembered, and not carried out: no test pulls a real plug, and it costs more than all else.
   */
  @Override
  public void force(boolean metadata) throws IOException {
    disk.before("force", path);
    disk.forced(path);
  }

  @Override
  public @Nullable FileLock tryLock(long position, long size, boolean shared) throws IOException {
    disk.before("lock", path);
    return real.tryLock(position, size, shared);
  }

  @Override
  protected void implCloseChannel() throws IOException {
    real.close();
    disk.before("close", path);
  }

  @Override
  public long position() throws IOException {
    return real.position();
  }

  @Override
  public FileChannel position(long position) throws IOException {
    real.position(position);
    return this;
  }

  @Override
  public long read(ByteBuffer[] buffers, int offset, int length) {
    throw new UnsupportedOperationException();
  }

  @Override
  public long write(ByteBuffer[] buffers, int offset, int length) {
    throw new UnsupportedOperationException();
  }

  @Override
  public long transferTo(long position, long count, WritableByteChannel target) {
    throw new UnsupportedOperationException();
  }

  @Override
  public long transferFrom(ReadableByteChannel source, long position, long count) {
    throw new UnsupportedOperationException();
  }

  @Override
  public MappedByteBuffer map(MapMode mode, long position, long size) {
    throw new UnsupportedOperationException();
  }

  @Override
  public FileLock lock(long position, long size, boolean shared) {
    throw new UnsupportedOperationException();
  }
}
