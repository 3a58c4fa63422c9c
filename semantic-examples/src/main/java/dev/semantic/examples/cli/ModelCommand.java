package dev.semantic.examples.cli;

import dev.semantic.examples.terminal.Progress;
import dev.semantic.examples.terminal.Terminal;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.store.CatalogModel;
import dev.semantic.mlx.store.ModelCatalog;
import dev.semantic.mlx.store.ModelFetcher;
import dev.semantic.mlx.store.ModelState;
import dev.semantic.model.ModelId;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.PreparedModel;
import java.io.IOException;
import picocli.CommandLine.Parameters;

/** A command about one model. */
abstract class ModelCommand extends Subcommand {
  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description = "A .gguf file, a directory with one in it, or a name of 'semantic models'.")
  private String model = "";

  abstract Answer answer(ModelRuntime runtime, ModelId model) throws IOException;

  @Override
  final Answer answer() throws IOException {
    ModelId id = new ModelId(model);
    fetchIfMissing(terminal(), id);
    try (MlxModelRuntime runtime = MlxModelRuntime.open()) {
      return answer(runtime, id);
    }
  }

  final LoadedModel load(PreparedModel prepared) {
    try (Progress progress = Progress.drawn(terminal(), "Loading " + prepared.spec().id())) {
      return prepared.load(progress::update);
    }
  }

  static void fetchIfMissing(Terminal terminal, ModelId id) {
    ModelCatalog catalog = ModelCatalog.ofUser();
    for (CatalogModel known : catalog.find(id.name()).stream().toList()) {
      if (catalog.state(known) != ModelState.READY) {
        fetch(terminal, catalog, known);
      }
    }
  }

  static void fetch(Terminal terminal, ModelCatalog catalog, CatalogModel model) {
    try (Progress progress = Progress.told(terminal, "Fetching " + model.name())) {
      new ModelFetcher(catalog).fetch(model, progress::update);
    }
  }
}
