package dev.semantic.examples.cli;

import dev.semantic.mlx.models.AvailableModel;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.mlx.models.ModelSource;
import dev.semantic.model.ModelException;
import dev.semantic.pip.PipModels;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Adds a directory to the catalogue. */
@Command(
    name = "add",
    description = {
      "Adds a directory with models in it, or a model's own, to the catalogue.",
      "Nothing is ever written there. 'semantic models remove DIR' takes it out again."
    })
final class AddCommand extends Subcommand {
  @Parameters(paramLabel = "DIR", description = "It stays where it is.")
  private Path directory = Path.of("");

  @Override
  Answer answer() {
    ModelCatalog catalog = PipModels.catalog();
    Path added = directory.toAbsolutePath().normalize();
    List<AvailableModel> found =
        catalog.withDirectories(List.of(added)).available().stream()
            .filter(model -> model.source() == ModelSource.ADDED)
            .filter(model -> model.path().filter(path -> path.startsWith(added)).isPresent())
            .toList();
    if (found.isEmpty()) {
      throw new ModelException(
          ModelException.Kind.NOT_FOUND,
          "There is no model in %s: neither a .gguf file nor a config.json, nor in the directories in it"
              .formatted(added));
    }
    catalog.add(added);
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("directory", added.toString());
    fields.put("models", found.stream().map(ModelForm::json).toList());
    return new Answer(
        fields, () -> found.stream().map(ModelForm::line).collect(Collectors.joining("\n")));
  }
}
