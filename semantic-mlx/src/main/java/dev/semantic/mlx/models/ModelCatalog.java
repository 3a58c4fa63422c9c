package dev.semantic.mlx.models;

import dev.semantic.mlx.models.hub.HubCache;
import dev.semantic.mlx.models.hub.HubRepo;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The models that can be asked for by name, and where they lie for this user. Thread-safe. */
public final class ModelCatalog {
  private static final Logger LOG = LoggerFactory.getLogger(ModelCatalog.class);

  private final UserCache cache;
  private final List<KnownModel> models;
  private final Optional<HubSettings> hub;
  private final List<Path> directories;

  private ModelCatalog(
      UserCache cache, List<KnownModel> models, Optional<HubSettings> hub, List<Path> directories) {
    this.cache = cache;
    this.models = List.copyOf(models);
    this.hub = hub;
    this.directories = List.copyOf(directories);
  }

  /** The catalogue over another directory than the user's usual one; with no hub. */
  public ModelCatalog(UserCache cache) {
    this(cache, List.of(), Optional.empty(), List.of());
  }

  /** The catalogue over the user's cache, and the hub as the user's environment has it. */
  public static ModelCatalog ofUser() {
    return new ModelCatalog(UserCache.ofUser()).withHub(HubSettings.ofUser());
  }

  /**
   * The same with models that can be asked for by names of their own, and fetched. Once one has
   * been fetched, every catalogue over this cache finds it by that name.
   *
   * @throws IllegalArgumentException if two have one name or one file
   */
  public ModelCatalog withModels(List<KnownModel> more) {
    List<KnownModel> all = Stream.concat(models.stream(), more.stream()).toList();
    Set<String> seen = new HashSet<>();
    for (KnownModel model : all) {
      if (!seen.add(model.name()) || !seen.add("file " + model.fileName())) {
        throw new IllegalArgumentException(
            "Two known models are called %s, or lie in %s"
                .formatted(model.name(), model.fileName()));
      }
    }
    return new ModelCatalog(cache, all, hub, directories);
  }

  /** The same with a hub: what is in its cache can be asked for, and what it has be fetched. */
  public ModelCatalog withHub(HubSettings settings) {
    return new ModelCatalog(cache, models, Optional.of(settings), directories);
  }

  /**
   * The same with more directories to look for models in: each a model's, or one with models below
   * it. Nothing is ever written there.
   */
  public ModelCatalog withDirectories(List<Path> more) {
    List<Path> all = Stream.concat(directories.stream(), more.stream()).toList();
    return new ModelCatalog(cache, models, hub, all);
  }

  /** Those of {@link #withModels}, in that order. */
  public List<KnownModel> models() {
    return models;
  }

  /** The model of that name among those; empty if there is none. */
  public Optional<KnownModel> find(String name) {
    return models.stream().filter(model -> model.name().equals(name)).findFirst();
  }

  /** Where the model's file is, or will be. */
  public Path path(KnownModel model) {
    return cache.models().resolve(model.fileName());
  }

  /** How much of the model is there; looks at sizes and times, reads no weights. */
  public ModelState state(KnownModel model) {
    Path file = path(model);
    try {
      if (VerifiedMarker.confirms(file, model)) {
        return ModelState.READY;
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot look at " + file, e);
    }
    return Files.exists(file) || isBegun(downloads(model)) ? ModelState.PARTIAL : ModelState.ABSENT;
  }

  private static boolean isBegun(Path downloads) {
    try (Stream<Path> come = Files.list(downloads)) {
      return come.findAny().isPresent();
    } catch (IOException e) {
      return false; // nothing is there
    }
  }

  /** Everything that can be asked for by name; see {@link #available(Fit)}. */
  public List<AvailableModel> available() {
    return available(Fit.UNKNOWN);
  }

  /**
   * Everything that can be asked for by name: the known models, and what lies in our own cache, in
   * the hub's, and in directories that were added. Where two have one name, the later goes by its
   * path. Looks at names and headers; reads no weights.
   *
   * @param fit says of each whether there is memory for it
   */
  public List<AvailableModel> available(Fit fit) {
    Map<String, AvailableModel> byName = new LinkedHashMap<>();
    Stream.of(models.stream().map(this::known).toList(), own(), inHub(), added())
        .flatMap(List::stream)
        .forEach(
            model -> {
              String path = model.path().map(Path::toString).orElse(model.name());
              String name = byName.containsKey(model.name()) ? path : model.name();
              byName.putIfAbsent(name, model.named(name).judged(fit.judge(model)));
            });
    return List.copyOf(byName.values());
  }

  private AvailableModel known(KnownModel model) {
    ModelState state = state(model);
    boolean ready = state == ModelState.READY;
    return new AvailableModel(
        model.name(),
        ModelSource.KNOWN,
        ready ? Optional.of(path(model)) : Optional.empty(),
        model.sizeBytes(),
        Optional.of(model.architecture()),
        Optional.of(model.license()),
        state,
        ready ? List.of() : List.of(model.fileName()),
        Optional.empty());
  }

  private List<AvailableModel> own() {
    if (!Files.isDirectory(cache.models())) {
      return List.of();
    }
    Set<String> known = models.stream().map(KnownModel::fileName).collect(Collectors.toSet());
    return ModelScanner.in(cache.models(), ModelSource.OWN, known).stream()
        .map(model -> model.path().flatMap(VerifiedMarker::name).map(model::named).orElse(model))
        .toList();
  }

  private List<AvailableModel> inHub() {
    return hubCache().map(ModelScanner::in).orElse(List.of());
  }

  private List<AvailableModel> added() {
    return Stream.concat(directories.stream(), new ModelDirectories(cache).all().stream())
        .distinct()
        .filter(Files::isDirectory)
        .flatMap(directory -> ModelScanner.in(directory, ModelSource.ADDED, Set.of()).stream())
        .toList();
  }

  /**
   * What a model's name stands for: the file of a known model, the file or directory that it names
   * itself, a model of a directory that was added, or a hub's repository, {@code
   * org/name[@revision][:file.gguf]}.
   *
   * @throws ModelException if there is nothing of that name, or it is not here, or not whole
   */
  public Path resolve(ModelId id) {
    Optional<KnownModel> known = find(id.name());
    if (known.isPresent()) {
      return fetched(known.get());
    }
    return existing(id)
        .or(() -> found(id))
        .or(() -> HubRepo.parse(id.name()).map(repo -> repository(id, repo)))
        .orElseThrow(() -> unknown(id));
  }

  private Path fetched(KnownModel model) {
    ModelState state = state(model);
    if (state != ModelState.READY && !isWholeAfterAll(path(model), model)) {
      throw new ModelException(
          ModelException.Kind.NOT_FOUND,
          "Model %s has not been fetched (%s; it belongs at %s). Fetch it with ModelFetcher."
              .formatted(model.name(), state, path(model)));
    }
    return path(model);
  }

  /** One that was verified, and touched since: copied, say, or its mode changed. */
  private static boolean isWholeAfterAll(Path file, KnownModel model) {
    try {
      return Files.isRegularFile(VerifiedMarker.path(file)) && VerifiedMarker.renew(file, model);
    } catch (IOException e) {
      LOG.debug("Cannot verify {} once more", file, e);
      return false;
    }
  }

  private Optional<Path> found(ModelId id) {
    return Stream.of(own(), added())
        .flatMap(List::stream)
        .filter(model -> model.name().equals(id.name()))
        .findFirst()
        .flatMap(AvailableModel::path);
  }

  /** The repository's model as it is here; nothing is asked of the hub. */
  private Path repository(ModelId id, HubRepo repo) {
    HubCache hubCache =
        hubCache()
            .orElseThrow(
                () ->
                    new ModelException(
                        ModelException.Kind.NOT_FOUND, "No hub is set to look for " + id + " in"));
    List<AvailableModel> here =
        hubCache
            .find(repo)
            .map(directory -> snapshot(repo, directory))
            .map(snapshot -> ModelScanner.of(hubCache, snapshot))
            .orElse(List.of());
    List<AvailableModel> chosen = chosen(repo, here);
    if (chosen.isEmpty()) {
      throw new ModelException(
          ModelException.Kind.NOT_FOUND,
          ("Model %s is not here: there is no such file or directory, and nothing of that name in"
                  + " %s. Fetch it with ModelFetcher or 'semantic models fetch %s'.")
              .formatted(id, hubCache.root(), id));
    }
    if (chosen.size() > 1) {
      throw new ModelException(
          ModelException.Kind.INVALID,
          "%s has %d models here: %s. Name one by a colon and its file"
              .formatted(id, chosen.size(), chosen.stream().map(AvailableModel::name).toList()));
    }
    AvailableModel model = chosen.getFirst();
    if (!model.complete()) {
      throw new ModelException(
          ModelException.Kind.DAMAGED,
          "Model %s is not whole at %s: %s. Fetch it again."
              .formatted(id, model.path().orElseThrow(), String.join(", ", model.missing())));
    }
    return model.path().orElseThrow();
  }

  private static HubCache.Snapshot snapshot(HubRepo repo, Path directory) {
    List<String> refs = repo.isPinned() ? List.of() : List.of(repo.revision());
    String commit = String.valueOf(directory.getFileName());
    return new HubCache.Snapshot(repo.id(), commit, refs, directory);
  }

  /** MLX's layout, or the file of just that name, or those whose names have the choice in them. */
  private static List<AvailableModel> chosen(HubRepo repo, List<AvailableModel> here) {
    String choice = repo.choice().toLowerCase(Locale.ROOT);
    if (choice.isEmpty()) {
      Optional<AvailableModel> layout =
          here.stream().filter(model -> Files.isDirectory(model.path().orElseThrow())).findFirst();
      return layout.map(List::of).orElse(here);
    }
    Map<String, AvailableModel> byFile = new LinkedHashMap<>();
    for (AvailableModel model : here) {
      String file = String.valueOf(model.path().orElseThrow().getFileName());
      if (file.endsWith(ModelFiles.GGUF)) {
        byFile.put(file.toLowerCase(Locale.ROOT), model);
      }
    }
    AvailableModel exact = byFile.get(choice);
    byFile.keySet().removeIf(file -> !file.contains(choice));
    return exact == null ? List.copyOf(byFile.values()) : List.of(exact);
  }

  private ModelException unknown(ModelId id) {
    if (!isSpeakable(id)) {
      return new ModelException(
          ModelException.Kind.NOT_FOUND,
          "There is no model %s: its name has characters that this JVM, whose locale is %s, cannot pass to the file system. Start it with LC_ALL=C.UTF-8, or give the file another name"
              .formatted(id, System.getProperty("sun.jnu.encoding")));
    }
    return new ModelException(
        ModelException.Kind.NOT_FOUND,
        "There is no model "
            + id
            + ": it is neither a file or directory here, nor one of "
            + cache.models()
            + ", nor known by that name"
            + models.stream()
                .map(m -> m.name() + " (" + state(m) + ")")
                .collect(Collectors.joining(", ", models.isEmpty() ? "" : ", as are ", ""))
            + ". Known models are fetched by ModelFetcher. A hub's model goes by org/name.");
  }

  /** Whether a path can have the name; bytes that are no text have come as something else. */
  private static boolean isSpeakable(ModelId id) {
    try {
      return Path.of(id.name()).toString().indexOf('\ufffd') < 0;
    } catch (InvalidPathException e) {
      return id.name().chars().allMatch(c -> c < 0x80); // else it is something else's fault
    }
  }

  private static Optional<Path> existing(ModelId id) {
    try {
      return Stream.of(Path.of(id.name())).filter(Files::exists).findFirst();
    } catch (InvalidPathException e) {
      return Optional.empty(); // a name that can't be a path names no file
    }
  }

  /** Adds a directory for good: later catalogues over this cache look for models there too. */
  public void add(Path directory) {
    new ModelDirectories(cache).add(directory);
  }

  /**
   * Takes back {@link #add}; nothing of the directory is touched.
   *
   * @return false if it had not been added
   */
  public boolean forget(Path directory) {
    return new ModelDirectories(cache).forget(directory);
  }

  /** Where what has come of a known model waits for the rest. */
  Path downloads(KnownModel model) {
    return cache.downloads().resolve(model.fileName());
  }

  UserCache cache() {
    return cache;
  }

  Optional<HubSettings> hub() {
    return hub;
  }

  Optional<HubCache> hubCache() {
    return hub.map(settings -> new HubCache(settings.cache()));
  }
}
