package dev.semantic.mlx.models;

import dev.semantic.io.PathLock;
import dev.semantic.io.Reason;
import dev.semantic.mlx.files.OnceDirectory;
import dev.semantic.mlx.models.hub.HubCache;
import dev.semantic.mlx.models.hub.HubRepo;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Deletes models from our own cache and from the hub's, and nothing anywhere else. A model that is
 * in use goes on: its files are gone when it is unloaded.
 */
public final class ModelRemover {
  private final ModelCatalog catalog;

  public ModelRemover(ModelCatalog catalog) {
    this.catalog = catalog;
  }

  /**
   * What {@link #remove} would delete.
   *
   * @param model its name
   * @param paths files, and directories with all that is in them
   */
  public record Removal(ModelId model, List<Path> paths) {
    public Removal {
      paths = List.copyOf(paths);
    }
  }

  /**
   * Looks what there is to delete of a model.
   *
   * @param id a name of the catalogue; of a hub's repository without a revision all that is here,
   *     with one this state of it, or, where the state has other names too, only the name
   * @throws ModelException if there is nothing, or it lies where we delete nothing
   */
  public Removal plan(ModelId id) {
    Optional<KnownModel> known = catalog.find(id.name());
    List<Path> paths = known.isPresent() ? ofKnown(known.get()) : ofOthers(id);
    if (paths.isEmpty()) {
      throw new ModelException(
          ModelException.Kind.NOT_FOUND, "There is nothing of %s here to remove".formatted(id));
    }
    return new Removal(id, paths);
  }

  /**
   * Deletes what {@link #plan} tells.
   *
   * @return bytes that were freed
   */
  public long remove(ModelId id) {
    Removal removal = plan(id);
    try {
      Optional<HubRepo> repo = repository(id);
      return repo.isPresent() ? removeFromHub(id, repo.get()) : removeOwn(removal.paths());
    } catch (IOException e) {
      throw new ModelException(
          ModelException.Kind.FAILED, "Cannot remove %s: %s".formatted(id, Reason.of(e)), e);
    }
  }

  private List<Path> ofKnown(KnownModel model) {
    List<Path> paths = new ArrayList<>(List.of(catalog.path(model)));
    paths.add(VerifiedMarker.path(catalog.path(model)));
    paths.add(catalog.downloads(model));
    paths.removeIf(path -> !Files.exists(path, LinkOption.NOFOLLOW_LINKS));
    return paths;
  }

  private List<Path> ofOthers(ModelId id) {
    Optional<HubRepo> repo = repository(id);
    if (repo.isPresent()) {
      return ofHub(id, repo.get());
    }
    for (AvailableModel model : catalog.available()) {
      boolean named = model.name().equals(id.name());
      if (named && model.source() == ModelSource.OWN) {
        Path file = model.path().orElseThrow();
        return Stream.concat(ModelFiles.parts(file).stream(), Stream.of(VerifiedMarker.path(file)))
            .filter(Files::exists)
            .toList();
      }
      if (named) {
        throw new ModelException(
            ModelException.Kind.INVALID,
            "%s lies in a directory that was added, where nothing is deleted: %s. Delete it yourself, or take the directory out of the catalogue by its path"
                .formatted(id, model.path().orElseThrow()));
      }
    }
    return List.of();
  }

  /** The repository that a name means; empty if it means something else. */
  private Optional<HubRepo> repository(ModelId id) {
    boolean other =
        catalog.available().stream()
            .anyMatch(m -> m.source() != ModelSource.HUB && m.name().equals(id.name()));
    Optional<HubRepo> repo = other ? Optional.empty() : HubRepo.parse(id.name());
    if (repo.isPresent() && !repo.get().choice().isEmpty()) {
      throw new ModelException(
          ModelException.Kind.INVALID,
          "Of %s only the whole can be removed: %s".formatted(id, repo.get().id()));
    }
    return catalog.hub().isPresent() ? repo : Optional.empty();
  }

  private List<Path> ofHub(ModelId id, HubRepo repo) {
    HubCache cache = catalog.hubCache().orElseThrow();
    if (isWhole(id)) {
      Path repository = cache.repository(repo.id());
      return Files.exists(repository) ? List.of(repository) : List.of();
    }
    Optional<HubCache.Snapshot> state = state(cache, repo);
    return state.map(s -> isName(repo, s) ? cache.reference(repo) : s.directory()).stream()
        .toList();
  }

  /** Whether no revision is named, not even {@code main}. */
  private static boolean isWhole(ModelId id) {
    return !id.name().contains("@");
  }

  /** Whether the revision is a branch or tag of a state that has other names, too. */
  private static boolean isName(HubRepo repo, HubCache.Snapshot state) {
    return !repo.isPinned() && state.refs().size() > 1;
  }

  private static Optional<HubCache.Snapshot> state(HubCache cache, HubRepo repo) {
    Optional<Path> directory = cache.find(repo);
    return cache.snapshots(repo.id()).stream()
        .filter(state -> directory.filter(state.directory()::equals).isPresent())
        .findFirst();
  }

  private long removeFromHub(ModelId id, HubRepo repo) throws IOException {
    HubCache cache = catalog.hubCache().orElseThrow();
    try (PathLock _ = PathLock.acquire(cache.lock(repo.id()))) {
      if (isWhole(id)) {
        return cache.removeAll(repo.id());
      }
      Optional<HubCache.Snapshot> state = state(cache, repo);
      if (state.isPresent() && isName(repo, state.get())) {
        Files.delete(cache.reference(repo));
        return 0;
      }
      return state.isPresent() ? cache.remove(state.get()) : 0;
    }
  }

  private long removeOwn(List<Path> paths) throws IOException {
    Path ours = catalog.cache().root();
    long freed = 0;
    for (Path path : paths) {
      if (!path.toAbsolutePath().normalize().startsWith(ours)) {
        throw new IllegalStateException(path + " is not in " + ours);
      }
      freed += sizeOf(path);
      OnceDirectory.delete(path);
    }
    return freed;
  }

  private static long sizeOf(Path tree) throws IOException {
    long bytes = 0;
    try (Stream<Path> files = Files.walk(tree)) {
      for (Path file : files.toList()) {
        if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
          bytes += Files.size(file);
        }
      }
    }
    return bytes;
  }
}
