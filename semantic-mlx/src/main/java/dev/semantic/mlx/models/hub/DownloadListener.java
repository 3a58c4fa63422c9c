package dev.semantic.mlx.models.hub;

import java.nio.file.Path;
import java.time.Duration;

/** Hears what a fetch does, and says whether it is still wanted. Called by several threads. */
public interface DownloadListener {
  /** What will be fetched, of which some may be here already. */
  void found(String commit, int files, long totalBytes);

  /** So many more bytes are here; fewer, where some turned out to be useless. */
  void moved(long bytes);

  /** Nothing moves for a while. */
  void waits(String reason, Duration time);

  /** A file is compared with its checksum. */
  void checks(String file);

  /** The model is there for all to see. */
  void published(Path snapshot);

  boolean isCancelled();
}
