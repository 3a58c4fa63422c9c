package dev.semantic.store;

import dev.semantic.io.DurableFiles;
import dev.semantic.io.Reason;
import dev.semantic.kv.AgentId;
import dev.semantic.log.Log;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelTag;
import dev.semantic.store.directory.AgentFiles;
import dev.semantic.store.directory.RootLayout;
import dev.semantic.store.directory.StoreLocks;
import dev.semantic.store.directory.TagDirectories;
import dev.semantic.store.format.CacheFileNames;
import dev.semantic.store.format.CacheHeader;
import dev.semantic.store.format.SnapshotReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
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
      case QUARANTINED ->
          locks.ifIdle(file, () -> DurableFiles.uninterrupted(() -> removeFile(file)));
      case ARCHIVED ->
          locks.ifNobodyElse(
              parent(file), () -> DurableFiles.uninterrupted(() -> removeIn(parent(file), file)));
      case LIVE ->
          locks
              .ifIdle(file, () -> DurableFiles.uninterrupted(() -> removeUnlessUsed(file)))
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
    try {
      locks.alone(parent(file), () -> DurableFiles.uninterrupted(() -> removeFromAllRooms(file)));
    } catch (IOException e) {
      throw new CacheException(
          "Cannot remove all of %s: %s. May this user write there? Ask again"
              .formatted(file, Reason.of(e)),
          e);
    }
  }

  private long removeFromAllRooms(Path live) throws IOException {
    long freed = 0;
    Path archived = layout.archiveOf(parent(live)).resolve(CacheFileNames.name(live));
    for (Path file : List.of(live, archived)) {
      if (RootLayout.isFile(file)) {
        freed += removeIn(parent(file), file);
      }
    }
    for (Path file : layout.quarantined()) {
      if (CacheFileNames.name(file).endsWith("-" + CacheFileNames.name(live))) {
        freed += removeFile(file);
      }
    }
    return freed;
  }

  /**
   * Removes all that one agent has: live, archived, put aside. Its files are known by their
   * headers, damaged ones by their names; those encrypted with another key cannot be told from
   * anybody else's.
   *
   * @return how many caches are gone
   * @throws CacheException if one of them could not be removed
   */
  int forget(AgentId agent) {
    try {
      return locks.alone(() -> DurableFiles.uninterrupted(() -> removeAllOf(agent)));
    } catch (IOException e) {
      throw new CacheException(
          "Cannot forget all of %s in %s: %s. May this user write there? Ask again"
              .formatted(agent, layout.root(), Reason.of(e)),
          e);
    }
  }

  private int removeAllOf(AgentId agent) throws IOException {
    List<Path> directories = new ArrayList<>(layout.live());
    directories.addAll(layout.archived());
    List<Path> files = EvictionPass.agents(directories);
    Set<ModelTag> known = new HashSet<>();
    Optional.ofNullable(archiveService.present()).ifPresent(known::add);
    Set<Path> its = new HashSet<>();
    for (Path file : files) {
      if (isNamedLike(agent, CacheFileNames.name(file)) && saysItIs(agent, file, known)) {
        its.add(file);
      }
    }
    Set<String> names =
        known.stream()
            .map(tag -> CacheFileNames.name(tags.form().file(layout.root(), agent, tag)))
            .collect(Collectors.toSet());
    int removed = 0;
    for (Path file : files) {
      if (its.contains(file) || names.contains(CacheFileNames.name(file))) {
        AgentFiles.remove(tags.at(parent(file)), file);
        removed++;
      }
    }
    for (Path file : layout.quarantined()) {
      boolean isIts =
          saysItIs(agent, file, known)
              || names.stream().anyMatch(CacheFileNames.name(file)::endsWith);
      removed += isIts && Files.deleteIfExists(file) ? 1 : 0;
    }
    return removed;
  }

  /** All files of an encrypted store are: nothing of an agent's name shows. */
  private boolean isNamedLike(AgentId agent, String name) {
    return tags.form().key() != null || name.startsWith(CacheFileNames.readable(agent) + "-");
  }

  private boolean saysItIs(AgentId agent, Path file, Set<ModelTag> known) {
    try {
      CacheHeader header = SnapshotReader.header(file, tags.form());
      if (header.content() instanceof CacheHeader.Agent found && found.id().equals(agent)) {
        known.add(header.tag());
        return true;
      }
    } catch (IOException e) {
      LOG.debug("{} does not tell whose it is", file, e);
    }
    return false;
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
          archiveService.archive(parent(entry.file()), entry.file());
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
    Path live = layout.root().resolve(CacheFileNames.name(parent(entry.file())));
    change(
        "bring back",
        entry,
        () -> {
          archiveService.bringBack(live, entry.file());
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
      return locks.alone(parent(entry.file()), () -> DurableFiles.uninterrupted(work));
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
}
