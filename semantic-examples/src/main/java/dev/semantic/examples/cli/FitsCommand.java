package dev.semantic.examples.cli;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.MemoryForecast;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.mlx.models.ModelFetcher;
import dev.semantic.mlx.models.RemoteModelHeaders;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.pip.PipModels;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What a model takes of memory, whether it is here or still on a hub. */
@Command(
    name = "fits",
    description = {
      "Shows what a model takes of memory and whether the budget holds that.",
      "Of a model that is not here the hub is asked for the headers only."
    })
final class FitsCommand extends Subcommand {
  @Parameters(paramLabel = "NAME", description = "A model's name, its file, or a hub's repository.")
  private String name = "";

  @Option(
      names = "--budget",
      paramLabel = "SIZE",
      description =
          "Memory for the model and its caches, for example 6GiB. Default: three quarters of the"
              + " machine's.")
  private @Nullable String budget;

  @Option(
      names = "--context",
      paramLabel = "N",
      description = "Tokens that each agent comes to; without, 4096.")
  private int context = 4096;

  @Option(names = "--agents", paramLabel = "N", description = "How many; without, one.")
  private int agents = 1;

  @Override
  Answer answer() {
    if (context < 1 || agents < 0) {
      throw misuse("--context is at least 1, --agents at least 0");
    }
    MemoryBudget memory = Budgets.ofMachine(this, budget);
    ModelCatalog catalog = PipModels.catalog();
    ModelId id = new ModelId(name);
    Optional<Path> here = MemoryCheck.here(catalog, id);
    if (here.isPresent()) {
      return answer(here.get(), 0, memory);
    }
    Optional<RemoteModelHeaders> outline = new ModelFetcher(catalog).headers(id);
    try (RemoteModelHeaders found = outline.orElseThrow(() -> absent(catalog, id))) {
      return outlined(found, memory);
    }
  }

  /** Nobody wants to hear of the files in which the headers lie for a moment. */
  private Answer outlined(RemoteModelHeaders outline, MemoryBudget memory) {
    try {
      return answer(outline.path(), outline.fetchBytes(), memory);
    } catch (ModelException e) {
      String why =
          String.valueOf(e.getMessage())
              .replace("Cannot load " + outline.path() + ": ", "")
              .replace(outline.path() + "/", "")
              .replace(outline.path().toString(), name)
              .replace(" Fetch it again.", "");
      throw new ModelException(
          ModelException.Kind.of(e),
          "%s cannot be loaded as the hub has it: %s".formatted(name, why),
          e);
    }
  }

  private static ModelException absent(ModelCatalog catalog, ModelId id) {
    try {
      return new ModelException(
          ModelException.Kind.FAILED, catalog.resolve(id) + " has come meanwhile; ask again");
    } catch (ModelException e) {
      return e;
    }
  }

  private Answer answer(Path model, long fetch, MemoryBudget memory) {
    try (MlxModelRuntime runtime = MlxModelRuntime.open(PipModels.catalog(), memory)) {
      MemoryForecast forecast = runtime.forecast(new ModelId(model.toString()), context, agents);
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("name", name);
      fields.put("fetch_bytes", fetch);
      fields.put("compute", runtime.compute(model));
      fields.put("weight_bytes", forecast.weights().bytes());
      fields.put("cache_bytes", forecast.caches().bytes());
      fields.put("working_bytes", forecast.working().bytes());
      fields.put("total_bytes", forecast.total().bytes());
      fields.put("budget_bytes", memory.total().bytes());
      boolean fits = forecast.total().compareTo(memory.total()) <= 0;
      fields.put("fits", fits);
      return new Answer(fields, () -> text(fields, forecast, memory, fits));
    }
  }

  private String text(
      Map<String, Object> fields, MemoryForecast forecast, MemoryBudget memory, boolean fits) {
    return "%s %s: %s (weights %s as %s, caches %s for %d x %d tokens, working set %s) of %s"
        .formatted(
            name,
            fits ? "fits" : "is too large",
            forecast.total(),
            forecast.weights(),
            fields.get("compute"),
            forecast.caches(),
            agents,
            context,
            forecast.working(),
            new ByteSize(memory.total().bytes()));
  }
}
