package dev.semantic.store.directory;

import dev.semantic.io.DurableFiles;
import dev.semantic.io.PrivateFiles;
import dev.semantic.io.Reason;
import dev.semantic.log.Log;
import dev.semantic.store.format.CacheFileException;
import dev.semantic.store.format.CacheFileNames;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Reads files that may be anything. What cannot be used is a miss, is logged, and goes where it
 * belongs: to quarantine if it is damaged, away if it has expired.
 */
public final class VerifiedReads {
  private static final Log LOG = Log.of(VerifiedReads.class);

  private final Path root;
  private final TagDirectories tags;

  public VerifiedReads(Path root, TagDirectories tags) {
    this.root = root;
    this.tags = tags;
  }

  /** Reads from an opened file. */
  @FunctionalInterface
  public interface Reading<T> {
    T from(FileChannel channel) throws IOException;
  }

  public <T> Optional<T> read(Path file, Reading<T> reading) {
    return attempt(
        file,
        () -> {
          try (FileChannel channel = PrivateFiles.open(file, Set.of(StandardOpenOption.READ))) {
            return reading.from(channel);
          }
        });
  }

  public <T> Optional<T> attempt(Path file, DurableFiles.Access<T> access) {
    try {
      return Optional.of(DurableFiles.uninterrupted(access));
    } catch (NoSuchFileException e) {
      LOG.debug("No cache in {}", file);
    } catch (CacheFileException e) {
      refuse(file, e);
    } catch (IOException e) {
      LOG.warn("Cannot read cache {}: {}. It stays and counts as absent.", file, Reason.of(e));
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
      case EXPIRED -> tags.expire(file, why);
    }
  }

  /** The block first: whoever refers to it is told that it is missing, and it is written anew. */
  private void putAside(Path file, CacheFileException why) {
    Path block = why.block();
    if (block != null) {
      tags.lost(block);
      if (Files.exists(block)) {
        quarantine(block, why);
      }
    }
    if (CacheFileNames.isCache(file)) {
      quarantine(file, why);
    }
  }

  /** Moves a file to where people may look at it, or says why it stays where it is. */
  private void quarantine(Path file, CacheFileException why) {
    Path directory = new RootLayout(root).quarantine();
    try {
      DurableFiles.directory(directory);
      String from = root.relativize(file).toString().replace('/', '-').replace('\\', '-');
      Path target = directory.resolve(UUID.randomUUID() + "-" + from);
      Files.move(file, target, StandardCopyOption.ATOMIC_MOVE);
      AgentFiles.touch(target, tags.form().clock().instant());
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
          directory,
          Reason.of(e));
    }
  }
}
