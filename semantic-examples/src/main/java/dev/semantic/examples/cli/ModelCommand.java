package dev.semantic.examples.cli;

import dev.semantic.examples.terminal.Progress;
import dev.semantic.examples.terminal.Terminal;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.store.ModelCatalog;
import dev.semantic.mlx.store.ModelFetcher;
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
      description =
          "A .gguf file, a directory with one in it, a name of 'semantic models', or a hub's"
              + " repository.")
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

  /** Brings a model here that is not, where there is a place to fetch it from. */
  static void fetchIfMissing(Terminal terminal, ModelId id) {
    try (FetchBar bar = new FetchBar(terminal, id)) {
      new ModelFetcher(ModelCatalog.ofUser()).fetchIfMissing(id, bar);
    }
  }
}
