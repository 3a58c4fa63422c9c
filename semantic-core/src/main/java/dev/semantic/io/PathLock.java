package dev.semantic.io;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Mutual exclusion by a file's name, between threads and between processes. The lock file stays
 * behind, empty: removing it would let two processes lock two files of one name. Released by the
 * operating system when a process dies.
 */
public final class PathLock implements AutoCloseable {
  private static final ConcurrentHashMap<Path, ReentrantLock> THREADS = new ConcurrentHashMap<>();
  private static final long RETRY_MILLIS = 50;

  private final ReentrantLock thread;
  private final FileChannel channel;

  private PathLock(ReentrantLock thread, FileChannel channel) {
    this.thread = thread;
    this.channel = channel;
  }

  /** Waits until {@code file} is ours; its directory must exist. */
  public static PathLock acquire(Path file) throws IOException {
    ReentrantLock thread =
        THREADS.computeIfAbsent(file.toAbsolutePath().normalize(), p -> new ReentrantLock());
    try {
      thread.lockInterruptibly();
    } catch (InterruptedException e) {
      throw interrupted(file);
    }
    boolean locked = false;
    try {
      FileChannel channel =
          PrivateFiles.open(file, Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE));
      try {
        waitFor(channel, file);
        locked = true;
        return new PathLock(thread, channel);
      } finally {
        if (!locked) {
          channel.close();
        }
      }
    } finally {
      if (!locked) {
        thread.unlock();
      }
    }
  }

  private static void waitFor(FileChannel channel, Path file) throws IOException {
    while (true) {
      try {
        FileLock lock = channel.lock();
        if (lock.isValid()) {
          return;
        }
      } catch (OverlappingFileLockException e) {
        // Held in this JVM by another class loader's copy of this class.
        try {
          TimeUnit.MILLISECONDS.sleep(RETRY_MILLIS);
        } catch (InterruptedException i) {
          throw interrupted(file);
        }
      }
    }
  }

  private static InterruptedIOException interrupted(Path file) {
    Thread.currentThread().interrupt();
    return new InterruptedIOException("Interrupted while waiting for the lock " + file);
  }

  @Override
  public void close() throws IOException {
    try {
      channel.close();
    } finally {
      thread.unlock();
    }
  }
}
