package dev.semantic.cache;

import dev.semantic.memory.ByteSize;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelTag;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
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
  private static final int STRIPES = 64;

  private final Path root;
  private final RootLock rootLock;
  private final CacheForm form;
  private final Quarantine quarantine;
  private final Map<Path, TagDirectory> directories = new ConcurrentHashMap<>();

  /** Shared by whoever works, exclusive for the one who closes. */
  private final ReadWriteLock open = new ReentrantReadWriteLock();

  /** One at a time per file: a damaged file must not be moved away when it is a new one already. */
  private final Lock[] stripes =
      Stream.generate(ReentrantLock::new).limit(STRIPES).toArray(Lock[]::new);

  private boolean closed;

  private DiskCacheStore(Path root, RootLock rootLock, CacheForm form) {
    this.root = root;
    this.rootLock = rootLock;
    this.form = form;
    this.quarantine = new Quarantine(root);
  }

  /**
   * Opens a cache directory, makes it where there is none, and clears away what killed writers left
   * half-written.
   *
   * @throws CacheException if it cannot be used, or another store, here or in another process, uses
   *     it
   */
  public static DiskCacheStore open(Path root) {
    return open(root.toAbsolutePath(), CacheForm.usual());
  }

  /** A store that encrypts, writes in fewer bits, or forgets. */
  public static DiskCacheBuilder builder(Path root) {
    return new DiskCacheBuilder(root.toAbsolutePath());
  }

  static DiskCacheStore open(Path root, CacheForm form) {
    try {
      CacheFiles.directories(root);
      RootLock lock = RootLock.take(root);
      try {
        clearTemporaries(root);
      } catch (IOException | RuntimeException e) {
        lock.close();
        throw e;
      }
      DiskCacheStore store = new DiskCacheStore(root, lock, form);
      if (form.timeToLive() != null) {
        store.removeExpired();
      }
      return store;
    } catch (IOException e) {
      throw new CacheException(
          "Cannot use cache directory %s: %s. It must be a directory that this user may write to."
              .formatted(root, CacheFiles.reason(e)),
          e);
    }
  }

  /** Nobody else writes below a root that is locked, so these are dead. */
  private static void clearTemporaries(Path root) throws IOException {
    try (DirectoryStream<Path> directories =
        Files.newDirectoryStream(root, path -> Files.isDirectory(path))) {
      for (Path directory : directories) {
        clearIn(directory);
        clearIn(directory.resolve(CacheFileNames.BLOCKS));
      }
    }
  }

  private static void clearIn(Path directory) throws IOException {
    for (Path file : TagDirectory.list(directory, CacheFileNames.TEMPORARY_SUFFIX)) {
      LOG.info("Removing {}: its writer was stopped before it was complete", file);
      Files.deleteIfExists(file);
    }
  }

  /** In all directories, also those of models that are not there any more. */
  private void removeExpired() throws IOException {
    try (DirectoryStream<Path> found =
        Files.newDirectoryStream(root, CacheFileNames::isDirectoryOfTag)) {
      found.forEach(path -> directories.put(path, TagDirectory.open(path, form)));
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
  }

  private void removeExpired(ModelTag tag) {
    Path path = CacheFileNames.directory(root, tag);
    for (Path file : whileOpen(path, () -> directory(tag).expired())) {
      whileOpen(file, () -> read(file, form::open)); // which finds that it has
    }
  }

  private TagDirectory directory(ModelTag tag) {
    return directories.computeIfAbsent(
        CacheFileNames.directory(root, tag), path -> TagDirectory.open(path, form));
  }

  @Override
  public Optional<KvSnapshot> load(AgentId agent, ModelTag tag) {
    return reading(agent, tag, reader -> Optional.of(directory(tag).load(reader)));
  }

  @Override
  public Optional<KvOutline> read(AgentId agent, ModelTag tag, KvMemory memory) {
    return reading(agent, tag, reader -> directory(tag).read(reader, memory));
  }

  /** What one reads out of an agent's file. */
  private interface Part<T> {
    Optional<T> from(CacheFileReader reader) throws IOException;
  }

  private <T> Optional<T> reading(AgentId agent, ModelTag tag, Part<T> part) {
    Path file = form.file(root, agent, tag);
    return whileOpen(
            file,
            () ->
                read(
                    file,
                    channel -> {
                      CacheFileReader reader = form.open(channel);
                      check(reader.header(), agent, tag);
                      Optional<T> found = part.from(reader);
                      LOG.debug("Read {} tokens of {}", reader.header().tokens(), file);
                      return found;
                    }))
        .flatMap(found -> found);
  }

  @Override
  public ParkedCache park(AgentId agent, KvSnapshot snapshot) {
    Path file = form.file(root, agent, snapshot.tag());
    Instant now = form.clock().instant();
    ModelTag tag = snapshot.tag();
    int tokens = snapshot.tokens().length;
    return whileOpen(
        file,
        () -> {
          try {
            long size =
                CacheFiles.uninterrupted(
                    () -> {
                      CacheFiles.directory(CacheFileNames.directory(root, tag));
                      return directory(tag).park(file, agent, snapshot, now);
                    });
            LOG.debug("Parked {} tokens of {} in {}", tokens, agent, file);
            return new ParkedCache(agent, tag, tokens, new ByteSize(size), now);
          } catch (IOException e) {
            throw new CacheException(
                "Cannot park %s's %d tokens of %s (%s) in %s: %s. What was parked before is unharmed;"
                        .formatted(
                            agent,
                            tokens,
                            tag,
                            new ByteSize(snapshot.bytes()),
                            file,
                            CacheFiles.reason(e))
                    + " is there room on the disk, and may this user write there?",
                e);
          }
        });
  }

  @Override
  public Optional<KvSnapshot> prefix(ModelTag tag, KvPrecision precision, int[] tokens) {
    removeExpired(tag);
    List<String> chain = form.chain(tag, precision, form.encoding(), tokens);
    Path path = CacheFileNames.directory(root, tag);
    return whileOpen(path, () -> attempt(path, () -> directory(tag).prefix(chain)))
        .flatMap(found -> found)
        .filter(found -> found.tag().equals(tag));
  }

  @Override
  public List<ParkedCache> parked(ModelTag tag) {
    Path directory = CacheFileNames.directory(root, tag);
    List<ParkedCache> parked = new ArrayList<>();
    List<Path> files = whileOpen(directory, () -> caches(directory(tag).path()));
    for (Path file : files) {
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
      LOG.warn(
          "Cannot list the caches in {}: {}. They count as absent.",
          directory,
          CacheFiles.reason(e));
    }
    return files;
  }

  private ParkedCache describe(Path file, FileChannel channel) throws IOException {
    CacheHeader header = form.open(channel).header();
    AgentId agent = header.agent().id();
    Path rightful = form.file(root, agent, header.tag());
    if (!rightful.getFileName().equals(file.getFileName())) {
      throw new CacheFileException(
          CacheFileException.Kind.MISPLACED,
          "%s's cache of %s does not belong under this name".formatted(agent, header.tag()));
    }
    return directory(header.tag()).describe(header, channel.size());
  }

  @Override
  public void remove(AgentId agent, ModelTag tag) {
    Path file = form.file(root, agent, tag);
    whileOpen(
        file,
        () -> {
          try {
            if (Files.deleteIfExists(file)) {
              directory(tag).removed(file);
              CacheFiles.force(CacheFileNames.directory(root, tag));
            }
            return true;
          } catch (IOException e) {
            throw new CacheException(
                "Cannot remove %s: %s. May this user write there?"
                    .formatted(file, CacheFiles.reason(e)),
                e);
          }
        });
  }

  private static void check(CacheHeader header, AgentId agent, ModelTag tag)
      throws CacheFileException {
    AgentId found = header.agent().id();
    if (!header.tag().equals(tag) || !found.equals(agent)) {
      throw new CacheFileException(
          CacheFileException.Kind.MISPLACED,
          "it holds %s's cache of %s (%s), expected %s's of %s (%s)"
              .formatted(
                  found, header.tag(), header.tag().fingerprint(), agent, tag, tag.fingerprint()));
    }
  }

  /** Reads from an opened file. */
  @FunctionalInterface
  private interface Reading<T> {
    T from(FileChannel channel) throws IOException;
  }

  private <T> Optional<T> read(Path file, Reading<T> reading) {
    return attempt(
        file,
        () -> {
          try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return reading.from(channel);
          }
        });
  }

  private <T> Optional<T> attempt(Path file, CacheFiles.Access<T> access) {
    try {
      return Optional.of(CacheFiles.uninterrupted(access));
    } catch (NoSuchFileException e) {
      LOG.debug("No cache in {}", file);
    } catch (CacheFileException e) {
      refuse(file, e);
    } catch (IOException e) {
      LOG.warn(
          "Cannot read cache {}: {}. It stays and counts as absent.", file, CacheFiles.reason(e));
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
      case DAMAGED, MISPLACED -> putAside(file, why);
      case LOCKED -> LOG.debug("Not using cache {}: {}", file, why.getMessage()); // warned before
      case EXPIRED -> directories.values().forEach(directory -> directory.expire(file, why));
    }
  }

  /** The block first: whoever refers to it is told that it is missing, and it is written anew. */
  private void putAside(Path file, CacheFileException why) {
    Path block = why.block();
    if (block != null) {
      directories.values().forEach(directory -> directory.lost(block));
      if (Files.exists(block)) {
        quarantine.take(block, why);
      }
    }
    if (CacheFileNames.isCache(file)) {
      quarantine.take(file, why);
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
          "Cannot let go of cache directory %s: %s".formatted(root, CacheFiles.reason(e)), e);
    } finally {
      open.writeLock().unlock();
    }
  }
}
