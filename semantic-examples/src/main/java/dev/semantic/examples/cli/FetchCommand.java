package dev.semantic.examples.cli;

import dev.semantic.mlx.store.CatalogModel;
import dev.semantic.mlx.store.ModelCatalog;
import dev.semantic.mlx.store.ModelState;
import dev.semantic.model.ModelException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Brings a model of the catalogue here. */
@Command(name = "fetch", description = "Fetches a model that 'semantic models' lists.")
final class FetchCommand extends Subcommand {
  @Parameters(paramLabel = "NAME", description = "For example gemma-3-270m.")
  private String name = "";

  @Override
  Answer answer() {
    ModelCatalog catalog = ModelCatalog.ofUser();
    CatalogModel model =
        catalog
            .find(name)
            .orElseThrow(
                () ->
                    new ModelException(
                        "The catalogue has no model %s; 'semantic models' lists what it has"
                            .formatted(name)));
    if (catalog.state(model) != ModelState.READY) {
      ModelCommand.fetch(terminal(), catalog, model);
    }
    return new Answer(ModelsCommand.fields(catalog, model), () -> catalog.path(model).toString());
  }
}
