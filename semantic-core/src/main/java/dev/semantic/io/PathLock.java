package dev.semantic.io;

import dev.semantic.timeline.Monitor;
import dev.semantic.timeline.Timeline;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * Mutual exclusion by a file's name, between threads and between processes. The lock file stays
 * behind: removing it would let two processes lock two files of one name. Released by the operating
 * system when a process dies; by any thread before.
 */
public final class PathLock implements AutoCloseable {
  private static final Set<OpenOption> OPTIONS =
      Set.of(StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
  private static final long RETRY_NANOS = Duration.ofMillis(50).toNanos();

  /**
   * Who may have a file in this process. Asked before the file is touched: on POSIX, closing any
   * channel of it gives up the lock of the whole process.
   */
  private static final ConcurrentHashMap<Path, Semaphore> OURS = new ConcurrentHashMap<>();

  private final FileChannel channel;
  private @Nullable Semaphore ours;

  private PathLock(FileChannel channel, Semaphore ours) {
    this.channel = channel;
    this.ours = ours;
  }

  /** Somebody else has it. */
  public static final class HeldException extends IOException {
    private static final long serialVersionUID = 1L;

    private HeldException(String by) {
      super("in use by " + by);
    }

    private static HeldException here() {
      return new HeldException("this process, " + ProcessHandle.current().pid());
    }
  }

  /** Waits until {@code file} is ours; its directory must exist. */
  public static PathLock acquire(Path file) throws IOException {
    Semaphore ours = ours(file);
    try {
      ours.acquire();
    } catch (InterruptedException e) {
      throw interrupted(file);
    }
    return lock(file, ours, channel -> waitFor(channel, file));
  }

  /**
   * Takes {@code file}, whose directory must exist, if nobody has it, and writes into it which
   * process that is.
   *
   * @throws HeldException if somebody has it; says which process
   */
  public static PathLock tryAcquire(Path file) throws IOException {
    Semaphore ours = ours(file);
    if (!ours.tryAcquire()) {
      throw HeldException.here();
    }
    return lock(file, ours, PathLock::take);
  }

  private static Semaphore ours(Path file) throws IOException {
    Path real = DurableFiles.parent(file.toAbsolutePath()).toRealPath();
    return OURS.computeIfAbsent(real.resolve(file.getFileName()), name -> new Semaphore(1));
  }

  private static PathLock lock(Path file, Semaphore ours, DurableFiles.Content how)
      throws IOException {
    boolean locked = false;
    try {
      FileChannel channel = PrivateFiles.open(file, OPTIONS);
      try {
        how.writeTo(channel);
        locked = true;
        return new PathLock(channel, ours);
      } finally {
        if (!locked) {
          channel.close();
        }
      }
    } finally {
      if (!locked) {
        ours.release();
      }
    }
  }

  private static void waitFor(FileChannel channel, Path file) throws IOException {
    Monitor monitor = Timeline.SYSTEM.monitor();
    while (true) {
      try {
        FileLock lock = channel.lock();
        if (lock.isValid()) {
          return;
        }
      } catch (OverlappingFileLockException e) {
        // Held in this JVM by another class loader's copy of this class.
        monitor.lock();
        try {
          monitor.awaitNanos(RETRY_NANOS);
        } catch (InterruptedException i) {
          throw interrupted(file);
        } finally {
          monitor.unlock();
        }
      }
    }
  }

  private static void take(FileChannel channel) throws IOException {
    try {
      @Nullable FileLock lock = channel.tryLock();
      if (lock == null) {
        throw new HeldException("process " + holder(channel));
      }
    } catch (OverlappingFileLockException e) {
      throw HeldException.here();
    }
    byte[] pid = Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII);
    channel.truncate(0);
    channel.write(ByteBuffer.wrap(pid), 0);
  }

  private static String holder(FileChannel channel) throws IOException {
    ByteBuffer pid = ByteBuffer.allocate(20);
    int length = channel.read(pid, 0);
    String text = new String(pid.array(), 0, Math.max(0, length), StandardCharsets.US_ASCII);
    return text.matches("\\d+") ? text : "(unknown)";
  }

  private static InterruptedIOException interrupted(Path file) {
    Thread.currentThread().interrupt();
    return new InterruptedIOException("Interrupted while waiting for the lock " + file);
  }

  @Override
  public synchronized void close() throws IOException {
    Semaphore held = ours;
    if (held != null) {
      ours = null;
      try {
        channel.close();
      } finally {
        held.release();
      }
    }
  }
}
