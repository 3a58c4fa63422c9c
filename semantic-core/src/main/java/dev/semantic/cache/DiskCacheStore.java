package dev.semantic.cache;

import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelTag;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A cache store in a directory: one file per agent and model tag, in a directory per tag, as {@code
 * docs/cache-format.md} describes. Caches of other tags stay where they are until their model comes
 * back. One store at a time may use a directory.
 *
 * <p>A file is verified whole before it is used. A damaged one is moved to {@code .quarantine} and
 * counts as a miss; one that another release wrote, or that cannot be read, stays and counts as a
 * miss. Every miss that is not simply an absence is logged.
 */
public final class DiskCacheStore implements CacheStore, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DiskCacheStore.class);
  private static final int BLOCK_BYTES = 1 << 20;
  private static final int STRIPES = 64;

  private final Path root;
  private final RootLock rootLock;
  private final Clock clock;
  private final int blockBytes;

  /** Shared by whoever works, exclusive for the one who closes. */
  private final ReadWriteLock open = new ReentrantReadWriteLock();

  /** One at a time per file: a damaged file must not be moved away when it is a new one already. */
  private final Lock[] stripes =
      Stream.generate(ReentrantLock::new).limit(STRIPES).toArray(Lock[]::new);

  private boolean closed;

  private DiskCacheStore(Path root, RootLock rootLock, Clock clock, int blockBytes) {
    this.root = root;
    this.rootLock = rootLock;
    this.clock = clock;
    this.blockBytes = blockBytes;
  }

  /**
   * Opens a cache directory, makes it where there is none, and clears away what killed writers left
   * half-written.
   *
   * @throws CacheException if it cannot be used, or another store, here or in another process, uses
   *     it
   */
  public static DiskCacheStore open(Path root) {
    return open(root.toAbsolutePath(), Clock.systemUTC(), BLOCK_BYTES);
  }

  static DiskCacheStore open(Path root, Clock clock, int blockBytes) {
    try {
      CacheFiles.directories(root);
      RootLock lock = RootLock.take(root);
      try {
        clearTemporaries(root);
      } catch (IOException | RuntimeException e) {
        lock.close();
        throw e;
      }
      return new DiskCacheStore(root, lock, clock, blockBytes);
    } catch (IOException e) {
      throw new CacheException(
          "Cannot use cache directory %s: %s. It must be a directory that this user may write to."
              .formatted(root, reason(e)),
          e);
    }
  }

  /** Nobody else writes below a root that is locked, so these are dead. */
  private static void clearTemporaries(Path root) throws IOException {
    try (DirectoryStream<Path> directories =
        Files.newDirectoryStream(root, path -> Files.isDirectory(path))) {
      for (Path directory : directories) {
        try (DirectoryStream<Path> files =
            Files.newDirectoryStream(directory, CacheFileNames::isTemporary)) {
          for (Path file : files) {
            LOG.info("Removing {}: its writer was stopped before it was complete", file);
            Files.deleteIfExists(file);
          }
        }
      }
    }
  }

  @Override
  public Optional<KvSnapshot> load(AgentId agent, ModelTag tag) {
    Path file = CacheFileNames.file(root, agent, tag);
    return whileOpen(
        file,
        () -> {
          Optional<KvSnapshot> found =
              read(
                  file,
                  (channel) -> {
                    CacheFileReader reader = CacheFileReader.open(channel);
                    check(reader.header(), agent, tag);
                    return reader.snapshot();
                  });
          found.ifPresent(
              snapshot ->
                  LOG.debug(
                      "Loaded {} tokens of {} from {}", snapshot.tokens().length, agent, file));
          return found;
        });
  }

  @Override
  public ParkedCache park(AgentId agent, KvSnapshot snapshot) {
    Path file = CacheFileNames.file(root, agent, snapshot.tag());
    Instant now = clock.instant();
    CacheHeader header = CacheHeader.of(agent, snapshot, now, blockBytes);
    return whileOpen(
        file,
        () -> {
          try {
            long size = CacheFiles.uninterrupted(() -> write(file, header, snapshot));
            LOG.debug("Parked {} tokens of {} in {}", header.tokens(), agent, file);
            return describe(header, size);
          } catch (IOException e) {
            throw new CacheException(
                "Cannot park %s's %d tokens of %s (%s) in %s: %s. What was parked before is unharmed;"
                        .formatted(
                            agent,
                            header.tokens(),
                            header.tag(),
                            new ByteSize(snapshot.bytes()),
                            file,
                            reason(e))
                    + " is there room on the disk, and may this user write there?",
                e);
          }
        });
  }

  private long write(Path file, CacheHeader header, KvSnapshot snapshot) throws IOException {
    CacheFiles.directory(CacheFileNames.directory(root, header.tag()));
    long[] size = new long[1];
    CacheFiles.replace(file, channel -> size[0] = CacheFileWriter.write(channel, header, snapshot));
    return size[0];
  }

  @Override
  public List<ParkedCache> parked(ModelTag tag) {
    Path directory = CacheFileNames.directory(root, tag);
    List<ParkedCache> parked = new ArrayList<>();
    for (Path file : caches(directory)) {
      whileOpen(file, () -> read(file, channel -> describe(file, channel)))
          .filter(cache -> cache.tag().equals(tag))
          .ifPresent(parked::add);
    }
    parked.sort(
        Comparator.comparing(ParkedCache::when)
            .reversed()
            .thenComparing(cache -> cache.agent().name()));
    return List.copyOf(parked);
  }

  private List<Path> caches(Path directory) {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> found =
        Files.newDirectoryStream(directory, CacheFileNames::isCache)) {
      found.forEach(files::add);
    } catch (NoSuchFileException e) {
      LOG.debug("Nothing is parked in {}", directory);
    } catch (IOException | DirectoryIteratorException e) {
      LOG.warn("Cannot list the caches in {}: {}. They count as absent.", directory, reason(e));
    }
    return files;
  }

  private ParkedCache describe(Path file, FileChannel channel) throws IOException {
    CacheHeader header = CacheFileReader.open(channel).header();
    Path rightful = CacheFileNames.file(root, header.agent(), header.tag());
    if (!rightful.getFileName().equals(file.getFileName())) {
      throw new CacheFileException(
          CacheFileException.Kind.MISPLACED,
          "%s's cache of %s does not belong under this name"
              .formatted(header.agent(), header.tag()));
    }
    return describe(header, channel.size());
  }

  private static ParkedCache describe(CacheHeader header, long size) {
    return new ParkedCache(
        header.agent(), header.tag(), header.tokens(), new ByteSize(size), header.parked());
  }

  @Override
  public void remove(AgentId agent, ModelTag tag) {
    Path file = CacheFileNames.file(root, agent, tag);
    whileOpen(
        file,
        () -> {
          try {
            if (Files.deleteIfExists(file)) {
              CacheFiles.force(CacheFileNames.directory(root, tag));
            }
            return true;
          } catch (IOException e) {
            throw new CacheException(
                "Cannot remove %s: %s. May this user write there?".formatted(file, reason(e)), e);
          }
        });
  }

  private static void check(CacheHeader header, AgentId agent, ModelTag tag)
      throws CacheFileException {
    if (!header.tag().equals(tag) || !header.agent().equals(agent)) {
      throw new CacheFileException(
          CacheFileException.Kind.MISPLACED,
          "it holds %s's cache of %s (%s), expected %s's of %s (%s)"
              .formatted(
                  header.agent(),
                  header.tag(),
                  header.tag().fingerprint(),
                  agent,
                  tag,
                  tag.fingerprint()));
    }
  }

  /** Reads from an opened file. */
  @FunctionalInterface
  private interface Reading<T> {
    T from(FileChannel channel) throws IOException;
  }

  private <T> Optional<T> read(Path file, Reading<T> reading) {
    try {
      return Optional.of(
          CacheFiles.uninterrupted(
              () -> {
                try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
                  return reading.from(channel);
                }
              }));
    } catch (NoSuchFileException e) {
      LOG.debug("No cache in {}", file);
    } catch (CacheFileException e) {
      refuse(file, e);
    } catch (IOException e) {
      LOG.warn("Cannot read cache {}: {}. It stays and counts as absent.", file, reason(e));
    } catch (OutOfMemoryError e) {
      LOG.warn("Cannot read cache {}: {}. It counts as absent; raise -Xmx.", file, e.getMessage());
    }
    return Optional.empty();
  }

  private void refuse(Path file, CacheFileException why) {
    switch (why.kind()) {
      case TOO_OLD, TOO_NEW ->
          LOG.warn(
              "Not using cache {}: {}. It stays and counts as absent.", file, why.getMessage());
      case DAMAGED, MISPLACED -> quarantine(file, why);
    }
  }

  private void quarantine(Path file, CacheFileException why) {
    Path quarantine = root.resolve(CacheFileNames.QUARANTINE);
    try {
      CacheFiles.directory(quarantine);
      Path directory = CacheFiles.parent(file).getFileName();
      Path target =
          quarantine.resolve(UUID.randomUUID() + "-" + directory + "-" + file.getFileName());
      Files.move(file, target, StandardCopyOption.ATOMIC_MOVE);
      LOG.warn(
          "Not using cache {}: {}. Moved to {}; it counts as absent.",
          file,
          why.getMessage(),
          target);
    } catch (IOException e) {
      LOG.warn(
          "Not using cache {}: {}. It counts as absent, and could not be moved to {}: {}",
          file,
          why.getMessage(),
          quarantine,
          reason(e));
    }
  }

  private <T> T whileOpen(Path file, Supplier<T> work) {
    Lock shared = open.readLock();
    Lock stripe = stripes[Math.floorMod(file.getFileName().hashCode(), STRIPES)];
    shared.lock();
    stripe.lock();
    try {
      if (closed) {
        throw new IllegalStateException("The cache store in " + root + " is closed");
      }
      return work.get();
    } finally {
      stripe.unlock();
      shared.unlock();
    }
  }

  /** Waits for what is being read or written and lets go of the directory. */
  @Override
  public void close() {
    open.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        rootLock.close();
      }
    } catch (IOException e) {
      throw new CacheException(
          "Cannot let go of cache directory %s: %s".formatted(root, reason(e)), e);
    } finally {
      open.writeLock().unlock();
    }
  }

  /** The exceptions of java.nio.file often say nothing but the file's name. */
  private static String reason(Exception e) {
    boolean bare = e instanceof FileSystemException fse && fse.getReason() == null;
    return bare || e.getMessage() == null
        ? e.getClass().getSimpleName() + " " + e.getMessage()
        : e.getMessage();
  }
}
