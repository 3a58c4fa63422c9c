package dev.semantic.store;

import dev.semantic.io.DurableFiles;
import dev.semantic.io.OwnPath;
import dev.semantic.io.PathLock;
import dev.semantic.io.Reason;
import dev.semantic.kv.AgentId;
import dev.semantic.kv.AgentSnapshot;
import dev.semantic.kv.BlockName;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.kv.KvSnapshotHeader;
import dev.semantic.kv.KvTarget;
import dev.semantic.log.Log;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelTag;
import dev.semantic.store.directory.AgentFiles;
import dev.semantic.store.directory.ParkingBatch;
import dev.semantic.store.directory.RootLayout;
import dev.semantic.store.directory.StoreLocks;
import dev.semantic.store.directory.TagDirectories;
import dev.semantic.store.directory.TagDirectory;
import dev.semantic.store.directory.VerifiedReads;
import dev.semantic.store.format.CacheFileException;
import dev.semantic.store.format.CacheFileNames;
import dev.semantic.store.format.CacheFileReader;
import dev.semantic.store.format.CacheFormat;
import dev.semantic.store.format.CacheHeader;
import dev.semantic.timeline.Parallel;
import dev.semantic.timeline.Timeline;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A cache store in a directory: one file per agent and model tag, in a directory per tag, as {@code
 * docs/cache-format.md} describes. What becomes of caches of other tags, and for how long any are
 * kept, an {@link MaintenancePolicy} says. One store at a time may use a directory; a {@link
 * CacheView} may look at it meanwhile.
 *
 * <p>A file is verified whole before it is used. A damaged one is moved to {@code .quarantine} and
 * counts as a miss; one that another release wrote, or that cannot be read, stays and counts as a
 * miss. Every miss that is not simply an absence is logged.
 */
public final class DiskCacheStore implements CacheStore, AutoCloseable {
  private static final Log LOG = Log.of(DiskCacheStore.class);

  private final Path root;
  private final PathLock rootLock;
  private final CacheFormat form;
  private final TagDirectories tags;
  private final VerifiedReads reads;
  private final StoreLocks locks;
  private final DiskSpaceGuard spaceGuard;
  private final CacheMaintenance maintenance;
  private @Nullable MaintenanceThread maintenanceThread;

  private DiskCacheStore(
      Path root, PathLock rootLock, CacheFormat form, MaintenancePolicy policy, DiskSpace space) {
    this.root = root;
    this.rootLock = rootLock;
    this.form = form;
    this.tags = new TagDirectories(root, form);
    this.reads = new VerifiedReads(root, tags);
    this.locks = new StoreLocks(root);
    this.spaceGuard = new DiskSpaceGuard(root, form.clock(), space, policy.live().freeDisk());
    this.maintenance =
        new CacheMaintenance(new RootLayout(root), tags, locks, form.clock(), policy, space);
  }

  /**
   * Opens a cache directory, makes it where there is none, and clears away what killed writers left
   * half-written. Nothing that is whole ever goes away by itself.
   *
   * @throws CacheException if it cannot be used, or another store, here or in another process, uses
   *     it
   */
  public static DiskCacheStore open(Path root) {
    return open(root, MaintenancePolicy.DEFAULTS);
  }

  /** The same, and caches are kept as the policy has it. */
  public static DiskCacheStore open(Path root, MaintenancePolicy policy) {
    return builder(root).maintenance(policy).open();
  }

  /** A store that encrypts, writes in fewer bits, forgets, or keeps within limits. */
  public static DiskCacheBuilder builder(Path root) {
    return new DiskCacheBuilder(root.toAbsolutePath());
  }

  static DiskCacheStore start(Path root, CacheFormat form, MaintenancePolicy policy) {
    DiskCacheStore store = open(root, form, policy, DiskSpace.OF_FILE_SYSTEM);
    if (!policy.isUnlimited()) {
      store.maintenanceThread = MaintenanceThread.start(Timeline.SYSTEM, store.maintenance);
    }
    return store;
  }

  static DiskCacheStore open(Path root, CacheFormat form) {
    return open(root, form, MaintenancePolicy.DEFAULTS, DiskSpace.OF_FILE_SYSTEM);
  }

  /** Without a thread that looks at the limits. */
  static DiskCacheStore open(
      Path root, CacheFormat form, MaintenancePolicy policy, DiskSpace space) {
    try {
      DurableFiles.directories(root);
      PathLock lock = lock(root);
      try {
        new RootLayout(root).clearTemporaries();
      } catch (IOException | RuntimeException e) {
        lock.close();
        throw e;
      }
      DiskCacheStore store = new DiskCacheStore(root, lock, form, policy, space);
      if (form.timeToLive() != null) {
        new RootLayout(root).live().forEach(store.tags::at); // which removes what has expired
      }
      return store;
    } catch (IOException e) {
      throw new CacheException(
          "Cannot use cache directory %s: %s. It must be a directory that this user may write to."
              .formatted(root, Reason.of(e)),
          e);
    }
  }

  /** The right of one store in one process to use a root. */
  private static PathLock lock(Path root) throws IOException {
    OwnPath.requireOwn(root.toRealPath());
    try {
      return PathLock.tryAcquire(root.resolve(CacheFileNames.LOCK));
    } catch (PathLock.HeldException e) {
      throw new CacheException(
          "Cache directory %s is %s. Close it there, or give each its own directory; to look at it only, use a CacheView (caches list, show, verify, export)."
              .formatted(root, e.getMessage()),
          e);
    }
  }

  private TagDirectory directory(ModelTag tag) {
    return tags.of(tag);
  }

  @Override
  public Optional<KvSnapshot> load(AgentId agent, ModelTag tag) {
    return reading(agent, tag, reader -> Optional.of(directory(tag).load(reader)));
  }

  @Override
  public Optional<KvSnapshotHeader> read(AgentId agent, ModelTag tag, KvTarget memory) {
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
                reads.read(
                    file,
                    channel -> {
                      CacheFileReader reader = form.open(channel);
                      check(reader.header(), agent, tag);
                      Optional<T> found = part.from(reader);
                      AgentFiles.touch(file, form.clock().instant());
                      LOG.debug("Read {} tokens of {}", reader.header().tokens(), file);
                      return found;
                    }))
        .flatMap(found -> found);
  }

  @Override
  public ParkedCache park(AgentId agent, KvSnapshot snapshot) {
    ParkingResult result = parkAll(List.of(new AgentSnapshot(agent, snapshot))).getFirst();
    if (result instanceof ParkingResult.Parked(ParkedCache cache)) {
      return cache;
    }
    Throwable why = ((ParkingResult.Failed) result).why();
    if (why instanceof RuntimeException e) {
      throw e;
    }
    if (why instanceof Error e) {
      throw e;
    }
    throw new CacheException("Cannot park " + agent + ": " + why, why);
  }

  /**
   * The same of several: their files are written and forced together, which takes hardly longer
   * than one. Each is whole and lasts, or is what it was before, whatever happens to the others.
   */
  @Override
  public List<ParkingResult> parkAll(List<AgentSnapshot> all) {
    ParkingResult[] results = new ParkingResult[all.size()];
    Map<ModelTag, List<Integer>> byModel = new LinkedHashMap<>();
    for (int i = 0; i < all.size(); i++) {
      byModel.computeIfAbsent(all.get(i).snapshot().tag(), tag -> new ArrayList<>()).add(i);
    }
    byModel.forEach(
        (tag, places) -> {
          List<ParkingResult> those = parkAll(tag, places.stream().map(all::get).toList());
          for (int i = 0; i < places.size(); i++) {
            results[places.get(i)] = those.get(i);
          }
        });
    return List.of(results);
  }

  private List<ParkingResult> parkAll(ModelTag tag, List<AgentSnapshot> all) {
    try {
      Path home = CacheFileNames.directory(root, tag);
      return locks.in(home, () -> parkIn(home, tag, all));
    } catch (Throwable t) { // a full disk, a closed store
      return all.stream()
          .<ParkingResult>map(each -> new ParkingResult.Failed(each.agent(), t))
          .toList();
    }
  }

  private List<ParkingResult> parkIn(Path home, ModelTag tag, List<AgentSnapshot> all) {
    spaceGuard.require();
    List<ParkingBatch.Entry> entries = new ArrayList<>();
    List<Path> paths = new ArrayList<>();
    Instant now = form.clock().instant();
    try {
      DurableFiles.uninterrupted(
          () -> {
            DurableFiles.directory(home);
            return home;
          });
    } catch (IOException e) {
      return all.stream().map(each -> failed(each, e)).toList();
    }
    try (ParkingBatch batch = directory(tag).batch()) {
      for (AgentSnapshot each : all) {
        Path file = form.file(root, each.agent(), tag);
        paths.add(file);
        entries.add(batch.add(file, each.agent(), each.snapshot(), now));
      }
      batch.write();
      locks.withAll(paths, batch::name);
    }
    for (int i = 0; i < all.size(); i++) { // first: a disk that is full now was not before
      if (entries.get(i).failure() == null) {
        LOG.debug("Parked {} in {}", all.get(i).agent(), paths.get(i));
        parked(paths.get(i), now);
      }
    }
    List<ParkingResult> results = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      Throwable failure = entries.get(i).failure();
      long size = entries.get(i).size();
      results.add(failure == null ? parked(all.get(i), size, now) : failed(all.get(i), failure));
    }
    return results;
  }

  private static ParkingResult parked(AgentSnapshot each, long size, Instant now) {
    KvSnapshot snapshot = each.snapshot();
    return new ParkingResult.Parked(
        new ParkedCache(
            each.agent(), snapshot.tag(), snapshot.tokens().length, new ByteSize(size), now));
  }

  private ParkingResult failed(AgentSnapshot each, Throwable why) {
    if (!(why instanceof IOException e)) {
      return new ParkingResult.Failed(each.agent(), why);
    }
    KvSnapshot snapshot = each.snapshot();
    String message =
        "Cannot park %s's %d tokens of %s (%s) in %s: %s. What was parked before is unharmed;"
                .formatted(
                    each.agent(),
                    snapshot.tokens().length,
                    snapshot.tag(),
                    new ByteSize(snapshot.bytes()),
                    form.file(root, each.agent(), snapshot.tag()),
                    Reason.of(e))
            + " is there room on the disk, and may this user write there?";
    return new ParkingResult.Failed(
        each.agent(),
        spaceGuard.isFull(e) ? new DiskFullException(message, e) : new CacheException(message, e));
  }

  private void parked(Path file, Instant now) {
    AgentFiles.touch(file, now);
    spaceGuard.parked();
    if (maintenanceThread != null) {
      maintenanceThread.nudge();
    }
  }

  @Override
  public Optional<KvSnapshot> prefix(ModelTag tag, KvPrecision precision, int[] tokens) {
    removeExpired(tag);
    List<String> chain = form.chain(tag, precision, form.encoding(), tokens);
    Path path = CacheFileNames.directory(root, tag);
    return whileOpen(path, () -> reads.attempt(path, () -> directory(tag).prefix(chain)))
        .flatMap(found -> found)
        .filter(found -> found.tag().equals(tag));
  }

  @Override
  public List<ParkedCache> parked(ModelTag tag) {
    Path directory = CacheFileNames.directory(root, tag);
    Map<BlockName, Long> blocks = new ConcurrentHashMap<>();
    List<Path> files = whileOpen(directory, () -> caches(directory(tag).path()));
    return Parallel.map(files.size(), i -> parked(files.get(i), tag, blocks)).stream()
        .flatMap(Optional::stream)
        .sorted(
            Comparator.comparing(ParkedCache::when)
                .reversed()
                .thenComparing(cache -> cache.agent().name()))
        .toList();
  }

  @Override
  public Optional<ParkedCache> parked(AgentId agent, ModelTag tag) {
    return parked(form.file(root, agent, tag), tag, new ConcurrentHashMap<>());
  }

  private Optional<ParkedCache> parked(Path file, ModelTag tag, Map<BlockName, Long> blocks) {
    return whileOpen(file, () -> reads.read(file, channel -> describe(file, channel, blocks)))
        .flatMap(found -> found)
        .filter(cache -> cache.tag().equals(tag));
  }

  private static List<Path> caches(Path directory) {
    try {
      return RootLayout.agents(directory);
    } catch (IOException e) {
      LOG.warn("Cannot list the caches in {}: {}. They count as absent.", directory, Reason.of(e));
      return List.of();
    }
  }

  private Optional<ParkedCache> describe(
      Path file, FileChannel channel, Map<BlockName, Long> blocks) throws IOException {
    CacheHeader header = form.open(channel).header();
    AgentId agent = header.agent().id();
    Path rightful = form.file(root, agent, header.tag());
    if (!rightful.getFileName().equals(file.getFileName())) {
      throw new CacheFileException(
          CacheFileException.Kind.MISPLACED,
          "%s's cache of %s does not belong under this name".formatted(agent, header.tag()));
    }
    OptionalLong shared = directory(header.tag()).bytesOfBlocks(header.agent(), blocks);
    if (shared.isEmpty()) {
      return Optional.empty();
    }
    ByteSize size = new ByteSize(channel.size() + shared.getAsLong());
    return Optional.of(
        new ParkedCache(agent, header.tag(), header.tokens(), size, header.parked()));
  }

  @Override
  public void remove(AgentId agent, ModelTag tag) {
    maintenance.remove(form.file(root, agent, tag));
  }

  @Override
  public int forget(AgentId agent) {
    return maintenance.forget(agent);
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

  private void removeExpired(ModelTag tag) {
    Path path = CacheFileNames.directory(root, tag);
    for (Path file : whileOpen(path, () -> directory(tag).expired())) {
      whileOpen(file, () -> reads.read(file, form::open)); // which finds that it has
    }
  }

  private <T> T whileOpen(Path file, Supplier<T> work) {
    return locks.using(file, work::get);
  }

  @Override
  public void updateModelTag(ModelTag tag) {
    maintenance.departures().arrive(tag);
  }

  @Override
  public int filterCompatible() {
    return maintenance.departures().letGo();
  }

  @Override
  public int invalidateAll() {
    return maintenance.departures().letGoOfAll();
  }

  /**
   * Whether there is room on the disk. While there is not, {@link #park} throws {@link
   * DiskFullException} without writing, until some is free or a while has passed.
   */
  @Override
  public ParkingStatus status() {
    return spaceGuard.status();
  }

  @Override
  public void addUser(PinnedAgents pinned) {
    maintenance.addUser(pinned);
  }

  @Override
  public void removeUser(PinnedAgents pinned) {
    maintenance.removeUser(pinned);
  }

  /** What can be done with all that is here. */
  public CacheMaintenance maintenance() {
    return maintenance;
  }

  /**
   * Parks what {@link CacheView#export} wrote. The file is verified whole, and its model compared,
   * before anything changes. That its keys and values are those of its tokens nobody can verify: it
   * serves its own agent, and no other agent begins with a part of it, now or later.
   *
   * @throws CacheException if it is damaged, another model's, in the way of a cache that is here,
   *     or cannot be parked
   */
  public ParkedCache importFrom(CacheImport parcel) {
    CacheTransfer.Parcel found = CacheTransfer.read(parcel, new RootLayout(root), form);
    return park(found.agent(), found.snapshot().asImported()); // whatever the file says of itself
  }

  /** Waits for what is being read or written and lets go of the directory. */
  @Override
  public void close() {
    if (maintenanceThread != null) {
      maintenanceThread.close();
    }
    locks.close(
        () -> {
          try {
            rootLock.close();
          } catch (IOException e) {
            throw new CacheException(
                "Cannot let go of cache directory %s: %s".formatted(root, Reason.of(e)), e);
          }
        });
  }
}
