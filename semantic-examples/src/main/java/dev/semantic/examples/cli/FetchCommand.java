package dev.semantic.examples.cli;

import dev.semantic.mlx.store.AvailableModel;
import dev.semantic.mlx.store.ModelCatalog;
import dev.semantic.mlx.store.ModelFetcher;
import dev.semantic.model.ModelId;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Brings a model here, or up to date. */
@Command(
    name = "fetch",
    description = {
      "Fetches a model that 'semantic models' lists, or a hub's repository.",
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

  @Override
  Answer answer() {
    ModelCatalog catalog = ModelCatalog.ofUser();
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
