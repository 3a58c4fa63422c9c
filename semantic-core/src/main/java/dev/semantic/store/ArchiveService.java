package dev.semantic.store;

import dev.semantic.io.DurableFiles;
import dev.semantic.io.Reason;
import dev.semantic.log.Log;
import dev.semantic.model.ModelTag;
import dev.semantic.store.directory.AgentFiles;
import dev.semantic.store.directory.RootLayout;
import dev.semantic.store.directory.StoreLocks;
import dev.semantic.store.directory.TagDirectories;
import dev.semantic.store.directory.TagDirectory;
import dev.semantic.store.format.CacheFileNames;
import dev.semantic.store.format.SnapshotReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which model is the present one, and where the caches of all others go. Coming back is done at
 * once, since the model waits for it; going is done when its model has been exchanged for good. A
 * model's directory goes and comes as a whole, by one rename; only if there is one already at the
 * other side, agent by agent, of whom the later cache stays.
 */
final class ArchiveService {
  private static final Log LOG = Log.of(ArchiveService.class);

  private final RootLayout layout;
  private final TagDirectories tags;
  private final StoreLocks locks;
  private final InactiveModelPolicy departed;
  private volatile @Nullable ModelTag present;

  ArchiveService(
      RootLayout layout, TagDirectories tags, StoreLocks locks, InactiveModelPolicy departed) {
    this.layout = layout;
    this.tags = tags;
    this.locks = locks;
    this.departed = departed;
  }

  @Nullable ModelTag present() {
    return present;
  }

  /** A model comes; what is archived of it is live when this returns, as far as it could be. */
  void arrive(ModelTag tag) {
    present = tag;
    Path live = CacheFileNames.directory(layout.root(), tag);
    locks.alone(
        live,
        () -> {
          try {
            int back = DurableFiles.uninterrupted(() -> bringBack(live));
            if (back > 0) {
              LOG.info("{} caches of {} are back from the archive", back, tag);
            }
          } catch (IOException e) {
            LOG.warn(
                "Cannot bring the caches of {} back from {}: {}. They stay there and count as"
                    + " absent until its model is loaded again; may this user write there?",
                tag,
                layout.archiveOf(live),
                Reason.of(e));
          }
          return tag;
        });
  }

  /**
   * Lets go of all that is not the present model's; stops if that changes meanwhile.
   *
   * @return how many caches went
   */
  int letGo() {
    ModelTag staying = present;
    if (staying == null || departed == InactiveModelPolicy.KEEP) {
      return 0;
    }
    Path home = CacheFileNames.directory(layout.root(), staying);
    int gone = 0;
    for (Path directory : live()) {
      if (!directory.equals(home)) {
        gone += locks.alone(directory, () -> staying.equals(present) ? send(directory) : 0);
      }
    }
    return gone;
  }

  /**
   * Lets go of everything that is live.
   *
   * @return how many caches went
   */
  int letGoOfAll() {
    int gone = 0;
    for (Path directory : live()) {
      gone += locks.alone(directory, () -> send(directory));
    }
    return gone;
  }

  private List<Path> live() {
    try {
      return layout.live();
    } catch (IOException e) {
      LOG.warn("Cannot list {}: {}. All caches stay.", layout.root(), Reason.of(e));
      return List.of();
    }
  }

  private int send(Path directory) {
    try {
      return DurableFiles.uninterrupted(
          () -> departed == InactiveModelPolicy.DELETE ? delete(directory) : archive(directory));
    } catch (IOException e) {
      LOG.warn(
          "Cannot {} the caches in {}: {}. Those that are there still stay; may this user write"
              + " there?",
          departed == InactiveModelPolicy.DELETE ? "remove" : "archive",
          directory,
          Reason.of(e));
      return 0;
    }
  }

  private int delete(Path directory) throws IOException {
    List<Path> files = RootLayout.agents(directory);
    long freed = 0;
    try {
      for (Path file : files) {
        freed += AgentFiles.remove(tags.at(directory), file);
      }
      AgentFiles.removeIfEmpty(directory);
    } finally {
      tags.forget(directory);
    }
    LOG.info("Removed {} caches of {}, {} bytes", files.size(), directory.getFileName(), freed);
    return files.size();
  }

  /**
   * Puts a model's live caches into the archive.
   *
   * @return how many
   */
  private int archive(Path live) throws IOException {
    makeRoom();
    int gone = transfer(live, layout.archiveOf(live));
    LOG.info("Archived {} caches of {}", gone, live.getFileName());
    return gone;
  }

  /**
   * Puts one agent's live cache into the archive; callers have the model's directory for
   * themselves.
   */
  void archive(Path live, Path file) throws IOException {
    makeRoom();
    move(live, file, layout.archiveOf(live));
  }

  /**
   * Makes a model's caches live that are archived.
   *
   * @return how many
   */
  private int bringBack(Path live) throws IOException {
    Path archived = layout.archiveOf(live);
    boolean there = RootLayout.isDirectory(layout.archive()) && RootLayout.isDirectory(archived);
    return there ? transfer(archived, live) : 0;
  }

  /** Makes one agent's archived cache live, in the same way. */
  void bringBack(Path live, Path file) throws IOException {
    move(layout.archiveOf(live), file, live);
  }

  private void makeRoom() throws IOException {
    DurableFiles.directory(layout.archive());
    if (!RootLayout.isDirectory(layout.archive())) {
      throw new NotDirectoryException(layout.archive() + ", which is a link");
    }
  }

  private int transfer(Path from, Path to) throws IOException {
    List<Path> files = RootLayout.agents(from);
    try {
      if (Files.exists(to, LinkOption.NOFOLLOW_LINKS)) {
        merge(from, files, to);
      } else {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
      }
      DurableFiles.force(DurableFiles.parent(to));
      DurableFiles.force(DurableFiles.parent(from));
    } finally {
      tags.forget(from);
      tags.forget(to);
    }
    return files.size();
  }

  private void merge(Path from, List<Path> files, Path to) throws IOException {
    TagDirectory source = tags.at(from);
    TagDirectory target = tags.at(to);
    for (Path file : files) {
      Optional<Instant> here = SnapshotReader.parked(file, tags.form());
      if (here.isEmpty()) {
        continue; // it does not tell what it refers to
      }
      Optional<Instant> there =
          SnapshotReader.parked(to.resolve(CacheFileNames.name(file)), tags.form());
      if (there.isPresent() && there.get().isAfter(here.get())) {
        AgentFiles.remove(source, file);
      } else {
        AgentFiles.move(source, file, target);
      }
    }
    AgentFiles.removeIfEmpty(from);
  }

  private void move(Path from, Path file, Path to) throws IOException {
    try {
      AgentFiles.move(tags.at(from), file, tags.at(to));
      AgentFiles.removeIfEmpty(from);
    } finally {
      tags.forget(from);
      tags.forget(to);
    }
  }
}
