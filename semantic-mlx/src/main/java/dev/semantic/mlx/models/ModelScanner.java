package dev.semantic.mlx.models;

import dev.semantic.io.Reason;
import dev.semantic.mlx.models.hub.HubCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds the models that lie in directories and in the hub's cache. */
final class ModelScanner {
  private static final Logger LOG = LoggerFactory.getLogger(ModelScanner.class);

  /** {@code directory/org/name}, as several programs keep theirs. */
  private static final int DEPTH = 2;

  private ModelScanner() {}

  /**
   * The models of a directory: itself, or those below it.
   *
   * @param but names of files that are somebody else's
   */
  static List<AvailableModel> in(Path directory, ModelSource source, Set<String> but) {
    List<AvailableModel> found = new ArrayList<>();
    collect(directory, directory, source, but, DEPTH, found);
    return found;
  }

  private static void collect(
      Path root,
      Path directory,
      ModelSource source,
      Set<String> but,
      int depth,
      List<AvailableModel> found) {
    try {
      boolean layout = ModelFiles.isLayout(directory);
      if (layout) {
        found.add(model(nameOf(root, directory), source, directory));
      }
      for (Path gguf : ModelFiles.ggufs(directory)) {
        String file = String.valueOf(gguf.getFileName());
        if (!but.contains(file)) {
          found.add(model(ModelFiles.name(gguf), source, gguf));
        }
      }
      for (Path child : layout || depth == 0 ? List.<Path>of() : directories(directory)) {
        collect(root, child, source, but, depth - 1, found);
      }
    } catch (IOException e) {
      LOG.warn("{} is passed by: {}", directory, Reason.of(e));
    }
  }

  private static List<Path> directories(Path directory) throws IOException {
    try (Stream<Path> children = Files.list(directory)) {
      return children.filter(Files::isDirectory).sorted().toList();
    }
  }

  private static String nameOf(Path root, Path directory) {
    Path name = root.equals(directory) ? directory.getFileName() : root.relativize(directory);
    return String.valueOf(name).replace('\\', '/');
  }

  private static AvailableModel model(String name, ModelSource source, Path path)
      throws IOException {
    ModelFiles files = ModelFiles.of(path);
    return new AvailableModel(
        name,
        source,
        Optional.of(path),
        files.sizeBytes(),
        files.architecture(),
        files.license(),
        files.missing().isEmpty() ? ModelState.READY : ModelState.PARTIAL,
        files.missing(),
        Optional.empty());
  }

  /**
   * The models of the hub's cache. What is no language model, of which there may be much, is not.
   */
  static List<AvailableModel> in(HubCache cache) {
    List<AvailableModel> found = new ArrayList<>();
    for (HubCache.Snapshot snapshot : cache.snapshots()) {
      found.addAll(of(cache, snapshot));
    }
    return found;
  }

  /** The models of one snapshot: one in MLX's layout, and each of its GGUF files. */
  static List<AvailableModel> of(HubCache cache, HubCache.Snapshot snapshot) {
    String name = snapshot.name();
    try {
      Optional<String> outside = outside(cache, snapshot.directory());
      List<AvailableModel> found = new ArrayList<>();
      if (ModelFiles.isLayout(snapshot.directory())) {
        found.add(refused(model(name, ModelSource.HUB, snapshot.directory()), outside));
      }
      List<Path> ggufs = ModelFiles.ggufs(snapshot.directory());
      boolean only = found.isEmpty() && ggufs.size() == 1;
      for (Path gguf : ggufs) {
        String choice = only ? "" : ":" + gguf.getFileName();
        found.add(refused(model(name + choice, ModelSource.HUB, gguf), outside));
      }
      return found;
    } catch (IOException e) {
      LOG.warn("{} is passed by: {}", snapshot.directory(), Reason.of(e));
      return List.of();
    }
  }

  private static Optional<String> outside(HubCache cache, Path snapshot) {
    try {
      cache.requireInside(snapshot);
      return Optional.empty();
    } catch (IOException e) {
      return Optional.of(Reason.of(e));
    }
  }

  private static AvailableModel refused(AvailableModel model, Optional<String> why) {
    return why.map(
            reason ->
                new AvailableModel(
                    model.name(),
                    model.source(),
                    model.path(),
                    model.sizeBytes(),
                    model.architecture(),
                    model.license(),
                    ModelState.PARTIAL,
                    List.of(reason),
                    model.fits()))
        .orElse(model);
  }
}
