package dev.semantic.store;

import dev.semantic.io.DurableFiles;
import dev.semantic.io.Reason;
import dev.semantic.log.Log;
import dev.semantic.model.ModelTag;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which model is the present one, and where the caches of all others go. Coming back is done at
 * once, since the model waits for it; going is done when its model has been exchanged for good.
 */
final class ArchiveService {
  private static final Log LOG = Log.of(ArchiveService.class);

  private final RootLayout layout;
  private final TagDirectories tags;
  private final StoreLocks locks;
  private final InactiveModelPolicy departed;
  private final Archive archive;
  private volatile @Nullable ModelTag present;

  ArchiveService(
      RootLayout layout, TagDirectories tags, StoreLocks locks, InactiveModelPolicy departed) {
    this.layout = layout;
    this.tags = tags;
    this.locks = locks;
    this.departed = departed;
    this.archive = new Archive(layout, tags);
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
            int back = DurableFiles.uninterrupted(() -> archive.bringBack(live));
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

  private int archive(Path directory) throws IOException {
    int gone = archive.take(directory);
    LOG.info("Archived {} caches of {}", gone, directory.getFileName());
    return gone;
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
}
