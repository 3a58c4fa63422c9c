package dev.semantic.examples.cli;

import dev.semantic.examples.chat.Conversations;
import dev.semantic.store.CacheKey;
import dev.semantic.store.CacheView;
import dev.semantic.store.DiskCacheStore;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Where the caches lie. */
final class CacheDirectory {
  @Option(
      names = "--cache-dir",
      paramLabel = "D",
      required = true,
      description = "Where agents' caches are kept.")
  private Path path = Path.of("");

  @Mixin private KeyFile keyFile = new KeyFile();

  /**
   * To look only.
   *
   * @throws dev.semantic.store.CacheException if there is no such directory
   */
  CacheView view() {
    return keyFile.view(path);
  }

  /**
   * To change something.
   *
   * @throws dev.semantic.store.CacheException if there is no such directory, or somebody uses it
   */
  DiskCacheStore open() {
    view(); // a name that is written wrong is not made a directory
    return openOrMake();
  }

  /** What was said, beside the caches. */
  Conversations conversations() {
    return new Conversations(path);
  }

  Optional<CacheKey> key() {
    return keyFile.key();
  }

  /** The same as {@link #open}, but a directory that is not there is made. */
  DiskCacheStore openOrMake() {
    return keyFile.open(DiskCacheStore.builder(path), path);
  }
}
