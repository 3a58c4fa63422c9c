package dev.semantic.store;

import dev.semantic.io.PrivateFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The right of one store in one process to use a cache root. A killed process loses it. */
final class RootLock implements AutoCloseable {
  private static final Set<OpenOption> OPTIONS =
      Set.of(StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);

  /**
   * Roots in use by this process. Asked before the lock file is touched: on POSIX, closing any
   * channel of it gives up the lock of the whole process.
   */
  private static final Set<Path> OURS = ConcurrentHashMap.newKeySet();

  private final Path root;
  private final FileChannel channel;

  private RootLock(Path root, FileChannel channel) {
    this.root = root;
    this.channel = channel;
  }

  /**
   * Takes a root that nobody uses.
   *
   * @throws CacheException if somebody does
   * @throws java.nio.file.AccessDeniedException if others may write to it
   */
  static RootLock take(Path root) throws IOException {
    Path real = root.toRealPath();
    PrivateFiles.requireOwn(real);
    if (!OURS.add(real)) {
      throw inUse(root, "this process, " + ProcessHandle.current().pid());
    }
    boolean taken = false;
    try {
      FileChannel channel = lock(root);
      taken = true;
      return new RootLock(real, channel);
    } finally {
      if (!taken) {
        OURS.remove(real);
      }
    }
  }

  private static FileChannel lock(Path root) throws IOException {
    Path file = root.resolve(CacheFileNames.LOCK);
    FileChannel channel = PrivateFiles.open(file, OPTIONS);
    boolean taken = false;
    try {
      @Nullable FileLock lock = channel.tryLock();
      if (lock == null) {
        throw inUse(root, "process " + holder(channel));
      }
      byte[] pid = Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII);
      channel.truncate(0);
      channel.write(ByteBuffer.wrap(pid), 0);
      taken = true;
      return channel;
    } finally {
      if (!taken) {
        channel.close();
      }
    }
  }

  private static String holder(FileChannel channel) throws IOException {
    ByteBuffer pid = ByteBuffer.allocate(20);
    int length = channel.read(pid, 0);
    String text = new String(pid.array(), 0, Math.max(0, length), StandardCharsets.US_ASCII);
    return text.matches("\\d+") ? text : "(unknown)";
  }

  private static CacheException inUse(Path root, String by) {
    return new CacheException(
        "Cache directory %s is in use by %s. Close it there, or give each its own directory; to look at it only, use a CacheView (caches list, show, verify, export)."
            .formatted(root, by));
  }

  @Override
  public void close() throws IOException {
    try {
      channel.close();
    } finally {
      OURS.remove(root);
    }
  }
}
