package dev.semantic.examples.cli;

import dev.semantic.mlx.models.AvailableModel;
import dev.semantic.pip.PipModels;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;

/** The models that can be asked for by name, and what can be done with their files. */
@Command(
    name = "models",
    description =
        "Lists the models that can be asked for by name: those that are known, and what lies in the"
            + " caches and in directories that were added.",
    subcommands = {
      ModelsCommand.ListModels.class,
      FetchCommand.class,
      FitsCommand.class,
      AddCommand.class,
      ConvertCommand.class,
      VerifyCommand.class,
      RemoveCommand.class
    })
final class ModelsCommand extends Subcommand {
  @Override
  Answer answer() {
    return list();
  }

  private static Answer list() {
    List<AvailableModel> models = ModelForm.available(PipModels.catalog());
    return new Answer(
        Map.of("models", models.stream().map(ModelForm::json).toList()),
        () -> models.stream().map(ModelForm::line).collect(Collectors.joining("\n")));
  }

  /** The same by its name. */
  @Command(name = "list", description = "Lists them, as 'semantic models' alone does.")
  static final class ListModels extends Subcommand {
    @Override
    Answer answer() {
      return list();
    }
  }
}
