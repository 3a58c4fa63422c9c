package dev.semantic.store;

import dev.semantic.io.Reason;
import dev.semantic.kv.AgentId;
import dev.semantic.log.Log;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelTag;
import dev.semantic.store.directory.AgentFiles;
import dev.semantic.store.directory.RootLayout;
import dev.semantic.store.format.CacheFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One look at one kind of caches: what goes beyond the limits is removed, least recently used
 * first. Who is busy, or was used just now, is passed over.
 */
final class EvictionPass {
  private static final Log LOG = Log.of(EvictionPass.class);

  /** Bounds the work of one round; the next goes on. */
  static final int MOST = 1000;

  /** Removes a file and what belongs to it. */
  @FunctionalInterface
  interface Remover {
    /** Bytes given back; empty if it is in use. */
    Optional<Long> remove(Path file) throws IOException;
  }

  private record Candidate(Path file, Instant used) {}

  private final CacheState kind;
  private final Retention limits;
  private final Instant now;
  private final Path root;
  private long total;
  private long free;
  private int removed;
  private long freed;

  /**
   * Nothing is removed yet.
   *
   * @param total bytes of all files of this kind
   * @param free bytes of the disk that are free
   */
  EvictionPass(CacheState kind, Retention limits, Instant now, Path root, long total, long free) {
    this.kind = kind;
    this.limits = limits;
    this.now = now;
    this.root = root;
    this.total = total;
    this.free = free;
  }

  /**
   * Removes what must go.
   *
   * @param files all that could
   * @param staying those that must not
   */
  MaintenanceReport run(List<Path> files, Set<Path> staying, Remover remover) throws IOException {
    String why = null;
    for (Candidate oldest : byUse(files)) {
      String reason = reason(oldest.used());
      if (reason == null || removed == MOST) {
        break;
      }
      if (!staying.contains(oldest.file())) {
        why = remove(oldest, remover) ? reason : why;
      }
    }
    if (why != null) {
      LOG.info(
          "Removed {} {} caches of {}, {}, least recently used first, since {}",
          removed,
          words(),
          root,
          new ByteSize(freed),
          why);
    }
    return new MaintenanceReport(removed, new ByteSize(freed));
  }

  /** What is still beyond the limits although nothing more can go; null if nothing is. */
  @Nullable String beyond() {
    String reason = removed == MOST ? null : reason(Instant.MAX);
    return reason == null
        ? null
        : "The %s caches of %s stay, although %s: those that are left are in use. Raise the limit, or free some disk"
            .formatted(words(), root, reason);
  }

  private boolean remove(Candidate oldest, Remover remover) {
    try {
      Optional<Long> bytes = remover.remove(oldest.file());
      if (bytes.isEmpty()) {
        return false;
      }
      removed++;
      freed += bytes.get();
      total -= bytes.get();
      free += bytes.get();
      return true;
    } catch (IOException e) {
      LOG.warn(
          "Cannot remove {}: {}. It stays; may this user write there?",
          oldest.file(),
          Reason.of(e));
      return false;
    }
  }

  private @Nullable String reason(Instant used) {
    if (limits.age().filter(age -> Duration.between(used, now).compareTo(age) > 0).isPresent()) {
      return "nobody used them for " + limits.age().get();
    }
    if (limits.bytes().filter(most -> total > most.bytes()).isPresent()) {
      return "they may occupy %s and occupied %s"
          .formatted(limits.bytes().get(), new ByteSize(total + freed));
    }
    if (free < limits.freeDisk().bytes()) {
      return "%s of the disk are to stay free and %s were"
          .formatted(limits.freeDisk(), new ByteSize(Math.max(0, free - freed)));
    }
    return null;
  }

  private String words() {
    return switch (kind) {
      case LIVE -> "live";
      case ARCHIVED -> "archived";
      case QUARANTINED -> "quarantined";
    };
  }

  private static List<Candidate> byUse(List<Path> files) throws IOException {
    List<Candidate> candidates = new ArrayList<>();
    for (Path file : files) {
      used(file).ifPresent(used -> candidates.add(new Candidate(file, used)));
    }
    candidates.sort(
        Comparator.comparing(Candidate::used)
            .thenComparing(candidate -> candidate.file().toString()));
    return candidates;
  }

  /** When a file was last parked, loaded or put where it is; empty if it is gone. */
  static Optional<Instant> used(Path file) throws IOException {
    try {
      return Optional.of(Files.getLastModifiedTime(file, LinkOption.NOFOLLOW_LINKS).toInstant());
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  /** Bytes of all files below some models' directories. */
  static long bytes(List<Path> tagDirectories) throws IOException {
    long bytes = 0;
    for (Path directory : tagDirectories) {
      for (Path file : RootLayout.files(directory)) {
        bytes += AgentFiles.sizeOf(file);
      }
    }
    return bytes;
  }

  /** The agents' files in some models' directories. */
  static List<Path> agents(List<Path> tagDirectories) throws IOException {
    List<Path> files = new ArrayList<>();
    for (Path directory : tagDirectories) {
      files.addAll(RootLayout.agents(directory));
    }
    return files;
  }

  /** The parked caches of agents who are in memory. */
  static Set<Path> files(Set<AgentId> agents, CacheFormat form, Path root, @Nullable ModelTag tag) {
    return tag == null
        ? Set.of()
        : agents.stream().map(agent -> form.file(root, agent, tag)).collect(Collectors.toSet());
  }
}
