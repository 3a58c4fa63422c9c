package dev.semantic.store;

import dev.semantic.io.DurableFiles;
import dev.semantic.io.Reason;
import dev.semantic.kv.AgentId;
import dev.semantic.log.Log;
import dev.semantic.memory.ByteSize;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What is done to parked caches as a whole: kept within limits, archived, removed. The limits are
 * looked at in the background, after caches were parked and every ten minutes; all methods here
 * work at once, on the caller's thread. Any thread may call.
 */
public final class CacheMaintenance {
  private static final Log LOG = Log.of(CacheMaintenance.class);

  /** A cache that was just loaded is in nobody's memory yet. */
  private static final Duration JUST_USED = Duration.ofMinutes(1);

  private final RootLayout layout;
  private final TagDirectories tags;
  private final StoreLocks locks;
  private final Clock clock;
  private final MaintenancePolicy policy;
  private final DiskSpace space;
  private final ArchiveService archiveService;
  private final Archive archive;
  private final List<PinnedAgents> users = new CopyOnWriteArrayList<>();
  private final Set<CacheState> told = EnumSet.noneOf(CacheState.class);

  CacheMaintenance(
      RootLayout layout,
      TagDirectories tags,
      StoreLocks locks,
      Clock clock,
      MaintenancePolicy policy,
      DiskSpace space) {
    this.layout = layout;
    this.tags = tags;
    this.locks = locks;
    this.clock = clock;
    this.policy = policy;
    this.space = space;
    this.archiveService = new ArchiveService(layout, tags, locks, policy.inactiveModels());
    this.archive = new Archive(layout, tags);
  }

  ArchiveService departures() {
    return archiveService;
  }

  void addUser(PinnedAgents pinned) {
    users.add(pinned);
  }

  void removeUser(PinnedAgents pinned) {
    users.remove(pinned);
  }

  /** Everything that is there. */
  public List<CacheEntry> list() {
    return CacheView.of(layout.root(), tags.form()).list();
  }

  /**
   * Removes what goes beyond the policy's limits; what cannot be looked at or removed stays and is
   * logged. What is worth least goes first: quarantine, archive, live.
   */
  public synchronized MaintenanceReport run() {
    MaintenanceReport report = MaintenanceReport.NOTHING;
    for (CacheState kind : List.of(CacheState.QUARANTINED, CacheState.ARCHIVED, CacheState.LIVE)) {
      try {
        report = report.plus(round(kind));
      } catch (IOException e) {
        LOG.warn(
            "Cannot look at the {} caches of {}: {}. They stay.",
            kind,
            layout.root(),
            Reason.of(e));
      }
    }
    return report;
  }

  private MaintenanceReport round(CacheState kind) throws IOException {
    Retention limits =
        switch (kind) {
          case LIVE -> policy.live();
          case ARCHIVED -> policy.archive();
          case QUARANTINED -> policy.quarantine();
        };
    if (limits.isUnlimited()) {
      return MaintenanceReport.NOTHING;
    }
    long total = 0;
    List<Path> files;
    if (kind == CacheState.QUARANTINED) {
      files = layout.quarantined();
      for (Path file : files) {
        total += AgentFiles.sizeOf(file);
      }
    } else {
      List<Path> directories = kind == CacheState.LIVE ? layout.live() : layout.archived();
      files = EvictionPass.agents(directories);
      total = EvictionPass.bytes(directories);
    }
    EvictionPass round =
        new EvictionPass(
            kind, limits, clock.instant(), layout.root(), total, space.free(layout.root()));
    MaintenanceReport report = round.run(files, inUse(), file -> removeIfIdle(kind, file));
    tell(kind, round.beyond());
    return report;
  }

  private Set<Path> inUse() {
    Set<AgentId> agents =
        users.stream().flatMap(pinned -> pinned.agents().stream()).collect(Collectors.toSet());
    return EvictionPass.files(agents, tags.form(), layout.root(), archiveService.present());
  }

  /** Once, until it is within its limits again. */
  private void tell(CacheState kind, @Nullable String beyond) {
    if (beyond == null) {
      told.remove(kind);
    } else if (told.add(kind)) {
      LOG.warn("{}", beyond);
    }
  }

  private Optional<Long> removeIfIdle(CacheState kind, Path file) throws IOException {
    return switch (kind) {
      case QUARANTINED -> carryOut(() -> locks.ifIdle(file, () -> attempt(() -> removeFile(file))));
      case ARCHIVED ->
          carryOut(
              () ->
                  locks.ifNobodyElse(
                      parent(file), () -> attempt(() -> removeIn(parent(file), file))));
      case LIVE ->
          carryOut(() -> locks.ifIdle(file, () -> attempt(() -> removeUnlessUsed(file))))
              .filter(bytes -> bytes >= 0);
    };
  }

  /** Less than 0 if it was used while nobody held its lock. */
  private long removeUnlessUsed(Path file) throws IOException {
    Instant recently = clock.instant().minus(JUST_USED);
    boolean used = EvictionPass.used(file).filter(when -> when.isAfter(recently)).isPresent();
    return used || inUse().contains(file) ? -1 : AgentFiles.remove(tags.at(parent(file)), file);
  }

  private long removeIn(Path directory, Path file) throws IOException {
    try {
      long freed = AgentFiles.remove(tags.at(directory), file);
      AgentFiles.removeIfEmpty(directory);
      return freed;
    } finally {
      tags.forget(directory);
    }
  }

  /**
   * Removes an agent's cache of one model from wherever it waits, whatever state it is in.
   *
   * @param file where it is, or would be, live
   * @throws CacheException if it is there and could not be removed
   */
  void remove(Path file) {
    Outcome outcome = locks.alone(parent(file), () -> attempt(() -> removeFromAllRooms(file)));
    if (outcome.failure() != null) {
      throw new CacheException(
          "Cannot remove all of %s: %s. May this user write there? Ask again"
              .formatted(file, Reason.of(outcome.failure())),
          outcome.failure());
    }
  }

  private long removeFromAllRooms(Path live) throws IOException {
    long freed = 0;
    Path archived = layout.archiveOf(parent(live)).resolve(RootLayout.name(live));
    for (Path file : List.of(live, archived)) {
      if (RootLayout.isFile(file)) {
        freed += removeIn(parent(file), file);
      }
    }
    for (Path file : layout.quarantined()) {
      if (RootLayout.name(file).endsWith("-" + RootLayout.name(live))) {
        freed += removeFile(file);
      }
    }
    return freed;
  }

  private static long removeFile(Path file) throws IOException {
    long bytes = AgentFiles.sizeOf(file);
    return Files.deleteIfExists(file) ? bytes : 0;
  }

  private static Path parent(Path file) {
    Path parent = file.getParent();
    if (parent == null) {
      throw new IllegalArgumentException(file + " is in no directory");
    }
    return parent;
  }

  /**
   * Puts a live cache into the archive.
   *
   * @throws CacheException if it could not be; it is where it was then
   */
  public void archive(CacheEntry entry) {
    require(entry, CacheState.LIVE);
    change(
        "archive",
        entry,
        () -> {
          archive.take(parent(entry.file()), entry.file());
          return 0L;
        });
  }

  /**
   * Makes an archived cache live.
   *
   * @throws CacheException if it could not be; it is where it was then
   */
  public void bringBack(CacheEntry entry) {
    require(entry, CacheState.ARCHIVED);
    Path live = layout.root().resolve(RootLayout.name(parent(entry.file())));
    change(
        "bring back",
        entry,
        () -> {
          archive.bringBack(live, entry.file());
          return 0L;
        });
  }

  /**
   * Removes a cache, in use or not; blocks that others refer to stay.
   *
   * @return what that gave back
   * @throws CacheException if it could not be removed
   */
  public ByteSize purge(CacheEntry entry) {
    require(entry, entry.state());
    return new ByteSize(
        change(
            "remove",
            entry,
            () ->
                entry.state() == CacheState.QUARANTINED
                    ? removeFile(entry.file())
                    : removeIn(parent(entry.file()), entry.file())));
  }

  private long change(String what, CacheEntry entry, DurableFiles.Access<Long> work) {
    try {
      return carryOut(() -> Optional.of(locks.alone(parent(entry.file()), () -> attempt(work))))
          .orElseThrow();
    } catch (IOException e) {
      throw new CacheException(
          "Cannot %s %s: %s. It is where it was; may this user write there, and is there room?"
              .formatted(what, entry.file(), Reason.of(e)),
          e);
    }
  }

  /** An entry's file must be one of those that {@link #list} tells, wherever it comes from. */
  private void require(CacheEntry entry, CacheState state) {
    Path home =
        switch (entry.state()) {
          case LIVE -> layout.root();
          case ARCHIVED -> layout.archive();
          case QUARANTINED -> layout.quarantine();
        };
    Path directory = parent(entry.file());
    Path above = entry.state() == CacheState.QUARANTINED ? directory : directory.getParent();
    if (entry.state() != state || !home.equals(above) || !isFile(entry)) {
      throw new IllegalArgumentException(
          "%s is no %s cache of %s".formatted(entry.file(), state, layout.root()));
    }
  }

  private static boolean isFile(CacheEntry entry) {
    try {
      return RootLayout.isFile(entry.file());
    } catch (IOException e) {
      throw new CacheException("Cannot look at %s: %s".formatted(entry.file(), Reason.of(e)), e);
    }
  }

  /** What a piece of work under a lock came to; locks know nothing of files. */
  private record Outcome(long bytes, @Nullable IOException failure) {}

  private static Outcome attempt(DurableFiles.Access<Long> work) {
    try {
      return new Outcome(DurableFiles.uninterrupted(work), null);
    } catch (IOException e) {
      return new Outcome(0, e);
    }
  }

  private static Optional<Long> carryOut(Supplier<Optional<Outcome>> locked) throws IOException {
    Optional<Outcome> outcome = locked.get();
    if (outcome.isPresent() && outcome.get().failure() != null) {
      throw outcome.get().failure();
    }
    return outcome.map(Outcome::bytes);
  }
}
