package dev.semantic.store.directory;

import dev.semantic.store.format.CacheFileNames;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.Stream;

/**
 * Who may do what below a cache root at the same time. Three locks, always taken in this order: the
 * store's, exclusive for the one who closes; a model's directory's, exclusive for the one who moves
 * it; a file's, since a damaged file must not be moved away when it is a new one already.
 */
public final class StoreLocks {
  private static final int STRIPES = 64;

  private final Path root;
  private final ReadWriteLock open = new ReentrantReadWriteLock();
  private final Map<String, ReadWriteLock> directories = new ConcurrentHashMap<>();
  private final Lock[] stripes =
      Stream.generate(ReentrantLock::new).limit(STRIPES).toArray(Lock[]::new);
  private boolean closed;

  /** What is done while a lock is held. */
  @FunctionalInterface
  public interface Work<T, X extends Exception> {
    T run() throws X;
  }

  public StoreLocks(Path root) {
    this.root = root;
  }

  /**
   * Works with an agent's file, or with a model's directory, beside others who work with others.
   *
   * @throws IllegalStateException if the store is closed
   */
  public <T, X extends Exception> T using(Path file, Work<T, X> work) throws X {
    return with(work, open.readLock(), directory(file).readLock(), stripe(file));
  }

  /** Works in a model's directory, with files that nobody else knows yet. */
  public <T, X extends Exception> T in(Path tagDirectory, Work<T, X> work) throws X {
    return with(work, open.readLock(), directory(tagDirectory).readLock());
  }

  /** Works with several agents' files at a time; for whoever works {@link #in} their directory. */
  public void withAll(Collection<Path> files, Runnable work) {
    Lock[] those =
        files.stream()
            .mapToInt(StoreLocks::stripeOf)
            .distinct()
            .sorted() // so that no two wait for each other
            .mapToObj(i -> stripes[i])
            .toArray(Lock[]::new);
    with(
        () -> {
          work.run();
          return files;
        },
        those);
  }

  /** Works with all that there is; nobody else does meanwhile. */
  public <T, X extends Exception> T alone(Work<T, X> work) throws X {
    return with(work, open.writeLock());
  }

  /** Works with all of a model's directory, live and archived; nobody else does meanwhile. */
  public <T, X extends Exception> T alone(Path tagDirectory, Work<T, X> work) throws X {
    return with(work, open.readLock(), directory(tagDirectory).writeLock());
  }

  /** As {@link #using}, but does nothing if somebody works with the file already. */
  public <T, X extends Exception> Optional<T> ifIdle(Path file, Work<T, X> work) throws X {
    return ifFree(work, open.readLock(), directory(file).readLock(), stripe(file));
  }

  /** As {@link #alone}, but does nothing if somebody works in the directory already. */
  public <T, X extends Exception> Optional<T> ifNobodyElse(Path tagDirectory, Work<T, X> work)
      throws X {
    return ifFree(work, open.readLock(), directory(tagDirectory).writeLock());
  }

  private <T, X extends Exception> T with(Work<T, X> work, Lock... locks) throws X {
    for (Lock lock : locks) {
      lock.lock();
    }
    try {
      return whileOpen(work);
    } finally {
      for (int i = locks.length - 1; i >= 0; i--) {
        locks[i].unlock();
      }
    }
  }

  private <T, X extends Exception> Optional<T> ifFree(Work<T, X> work, Lock... locks) throws X {
    Deque<Lock> held = new ArrayDeque<>();
    try {
      for (Lock lock : locks) {
        if (!lock.tryLock()) {
          return Optional.empty();
        }
        held.push(lock);
      }
      return Optional.of(whileOpen(work));
    } finally {
      held.forEach(Lock::unlock);
    }
  }

  private <T, X extends Exception> T whileOpen(Work<T, X> work) throws X {
    if (closed) {
      throw new IllegalStateException("The cache store in " + root + " is closed");
    }
    return work.run();
  }

  private Lock stripe(Path file) {
    return stripes[stripeOf(file)];
  }

  private static int stripeOf(Path file) {
    return Math.floorMod(CacheFileNames.name(file).hashCode(), STRIPES);
  }

  /** The directory itself, or the one that a file in it lies in; its place in the archive too. */
  private ReadWriteLock directory(Path path) {
    Path parent = CacheFileNames.isCache(path) ? path.getParent() : path;
    return directories.computeIfAbsent(
        parent == null ? "" : CacheFileNames.name(parent), name -> new ReentrantReadWriteLock());
  }

  /** Waits for all who work, and lets nobody begin any more; does {@code last} the first time. */
  public void close(Runnable last) {
    open.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        last.run();
      }
    } finally {
      open.writeLock().unlock();
    }
  }
}
