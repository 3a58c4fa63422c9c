package dev.semantic.examples.cli;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.MlxException;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.mlx.models.ModelFetcher;
import dev.semantic.mlx.models.RemoteModelHeaders;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.pip.PipModels;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks at a hub's model before it is fetched: gigabytes that cannot be loaded are not brought. */
final class MemoryCheck {
  private static final Logger LOG = LoggerFactory.getLogger(MemoryCheck.class);

  /** What can be done where nothing can be forced. */
  static final String MORE = "a larger --budget may hold it, or a model of fewer bits";

  private MemoryCheck() {}

  /** Where a model is, if it is here. */
  static Optional<Path> here(ModelCatalog catalog, ModelId id) {
    try {
      return Optional.of(catalog.resolve(id));
    } catch (ModelException e) {
      return Optional.empty();
    }
  }

  /**
   * Refuses a model that is not here and would not fit; says nothing of one that cannot be judged,
   * for the fetch itself will.
   *
   * @throws ModelException with what it takes and what to do
   */
  static void requireFit(ModelId id, MemoryBudget budget, String remedy) {
    ModelCatalog catalog = PipModels.catalog();
    if (here(catalog, id).isPresent()) {
      return;
    }
    tooLarge(catalog, id, budget)
        .ifPresent(
            why -> {
              throw new ModelException(
                  ModelException.Kind.DOES_NOT_FIT,
                  "%s. It was not fetched; %s".formatted(why, remedy));
            });
  }

  private static Optional<String> tooLarge(ModelCatalog catalog, ModelId id, MemoryBudget budget) {
    Optional<RemoteModelHeaders> outline = outline(catalog, id);
    if (outline.isEmpty()) {
      return Optional.empty();
    }
    try (RemoteModelHeaders model = outline.get();
        MlxModelRuntime runtime = MlxModelRuntime.open(catalog, budget)) {
      ByteSize needed = runtime.footprint(model.path());
      return needed.compareTo(budget.total()) <= 0
          ? Optional.empty()
          : Optional.of(
              "%s takes %s of memory (%s), more than the budget of %s"
                  .formatted(id, needed, runtime.compute(model.path()), budget.total()));
    } catch (ModelException | MlxException e) {
      LOG.debug("{} cannot be judged from its headers", id, e);
      return Optional.empty();
    }
  }

  private static Optional<RemoteModelHeaders> outline(ModelCatalog catalog, ModelId id) {
    try {
      return new ModelFetcher(catalog).headers(id);
    } catch (ModelException e) {
      LOG.debug("{} cannot be looked at", id, e);
      return Optional.empty();
    }
  }
}
