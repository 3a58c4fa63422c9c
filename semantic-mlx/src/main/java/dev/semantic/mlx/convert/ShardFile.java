package dev.semantic.mlx.convert;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;

/** A safetensors file while it is written; parts in any order, by several threads at once. */
final class ShardFile implements AutoCloseable {
  private final FileChannel channel;
  private final ShardLayout layout;

  private ShardFile(FileChannel channel, ShardLayout layout) {
    this.channel = channel;
    this.layout = layout;
  }

  @SuppressWarnings("MustBeClosedChecker") // closed by whoever writes the file
  static ShardFile create(Path file, ShardLayout layout) throws IOException {
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    ShardFile shard = new ShardFile(channel, layout);
    try {
      shard.writeAt(0, ByteBuffer.wrap(layout.header()));
      return shard;
    } catch (UncheckedIOException e) {
      channel.close();
      throw e.getCause();
    }
  }

  /**
   * Writes bytes of a part.
   *
   * @param within the part, from its first byte
   */
  void write(String part, long within, ByteBuffer bytes) {
    writeAt(Objects.requireNonNull(layout.offsets().get(part), part) + within, bytes);
  }

  private void writeAt(long position, ByteBuffer bytes) {
    try {
      long at = position;
      while (bytes.hasRemaining()) {
        at += channel.write(bytes, at);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits until everything is on the disk: a rename may reach it before what was renamed. */
  @Override
  public void close() throws IOException {
    try (channel) {
      channel.force(true);
    }
  }
}
