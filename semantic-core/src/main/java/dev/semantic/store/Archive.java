package dev.semantic.store;

import dev.semantic.io.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Where the caches of models wait that are not the present one. A model's directory goes and comes
 * as a whole, by one rename; only if there is one already at the other side, agent by agent, of
 * whom the later cache stays. Callers have the model's directory for themselves.
 */
final class Archive {
  private final RootLayout layout;
  private final TagDirectories tags;

  Archive(RootLayout layout, TagDirectories tags) {
    this.layout = layout;
    this.tags = tags;
  }

  /**
   * Puts a model's live caches here.
   *
   * @return how many
   */
  int take(Path live) throws IOException {
    makeRoom();
    return transfer(live, layout.archiveOf(live));
  }

  /** Puts one agent's live cache here. */
  void take(Path live, Path file) throws IOException {
    makeRoom();
    move(live, file, layout.archiveOf(live));
  }

  /**
   * Makes a model's caches live that are here.
   *
   * @return how many
   */
  int bringBack(Path live) throws IOException {
    Path archived = layout.archiveOf(live);
    boolean there = RootLayout.isDirectory(layout.archive()) && RootLayout.isDirectory(archived);
    return there ? transfer(archived, live) : 0;
  }

  /** Makes one agent's cache live that is here. */
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
      Optional<Instant> here = source.reader().parked(file);
      if (here.isEmpty()) {
        continue; // it does not tell what it refers to
      }
      Optional<Instant> there = source.reader().parked(to.resolve(RootLayout.name(file)));
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
