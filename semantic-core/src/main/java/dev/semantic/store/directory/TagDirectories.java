package dev.semantic.store.directory;

import dev.semantic.model.ModelTag;
import dev.semantic.store.format.CacheFileException;
import dev.semantic.store.format.CacheFileNames;
import dev.semantic.store.format.CacheFormat;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The models' directories of one root, live and archived; each is looked through at first use. */
public final class TagDirectories {
  private final Path root;
  private final CacheFormat form;
  private final Map<Path, TagDirectory> open = new ConcurrentHashMap<>();

  public TagDirectories(Path root, CacheFormat form) {
    this.root = root;
    this.form = form;
  }

  public TagDirectory of(ModelTag tag) {
    return at(CacheFileNames.directory(root, tag));
  }

  public TagDirectory at(Path path) {
    return open.computeIfAbsent(path, directory -> TagDirectory.open(directory, form));
  }

  public CacheFormat form() {
    return form;
  }

  /** An agent's file, wherever it lies, has been here for too long. */
  void expire(Path file, CacheFileException why) {
    open.values().forEach(directory -> directory.expire(file, why));
  }

  /** What is known of a directory is not true any more. */
  public void forget(Path path) {
    open.remove(path);
  }

  /** The block is not to be used any more. */
  void lost(Path block) {
    open.values().forEach(directory -> directory.lost(block));
  }
}
