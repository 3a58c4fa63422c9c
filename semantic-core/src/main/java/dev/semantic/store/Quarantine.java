package dev.semantic.store;

import dev.semantic.io.DurableFiles;
import dev.semantic.io.Reason;
import dev.semantic.log.Log;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.util.UUID;

/** Where files go that cannot be trusted, for people to look at. */
final class Quarantine {
  private static final Log LOG = Log.of(Quarantine.class);

  private final Path root;
  private final Path directory;
  private final Clock clock;

  Quarantine(Path root, Clock clock) {
    this.root = root;
    this.clock = clock;
    this.directory = root.resolve(CacheFileNames.QUARANTINE);
  }

  /** Moves a file here, or says why it stays where it is. */
  void take(Path file, CacheFileException why) {
    try {
      DurableFiles.directory(directory);
      String from = root.relativize(file).toString().replace('/', '-').replace('\\', '-');
      Path target = directory.resolve(UUID.randomUUID() + "-" + from);
      Files.move(file, target, StandardCopyOption.ATOMIC_MOVE);
      AgentFiles.touch(target, clock.instant());
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
