package dev.semantic.examples.cli;

import dev.semantic.examples.terminal.PlainText;
import dev.semantic.memory.ByteSize;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.mlx.models.ModelRemover;
import dev.semantic.mlx.models.ModelRemover.Removal;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.pip.PipModels;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Deletes a model's files, or takes a directory out of the catalogue. */
@Command(
    name = "remove",
    description = {
      "Deletes a model from our own cache or the hub's; nowhere else.",
      "A directory that was added is only taken out of the list."
    })
final class RemoveCommand extends Subcommand {
  @Parameters(
      paramLabel = "NAME",
      description =
          "A name of 'semantic models': org/name for all that is here of a repository,"
              + " org/name@revision for one state of it; or a directory that was added.")
  private String name = "";

  @Option(names = "--yes", description = "Do not ask.")
  private boolean yes;

  @Override
  Answer answer() throws IOException {
    ModelCatalog catalog = PipModels.catalog();
    if (name.contains("/") && catalog.forget(Path.of(name))) {
      return removed(List.of(), 0, "It is not listed any more; nothing of it was touched.");
    }
    ModelRemover remover = new ModelRemover(catalog);
    ModelId id = new ModelId(name);
    Removal removal = remover.plan(id);
    if (!yes && !agreed(removal)) {
      throw new ModelException(ModelException.Kind.FAILED, "Nothing was removed");
    }
    long freed = remover.remove(id);
    return removed(removal.paths(), freed, "Freed " + new ByteSize(freed));
  }

  private boolean agreed(Removal removal) throws IOException {
    if (!terminal().conversational()) {
      throw misuse("--yes is needed to delete " + removal.paths());
    }
    removal.paths().forEach(path -> terminal().err().println(PlainText.name(path)));
    terminal().err().print("Delete this? [y/N] ");
    terminal().err().flush();
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    String answer = in.readLine();
    return answer != null && answer.strip().toLowerCase(Locale.ROOT).startsWith("y");
  }

  private Answer removed(List<Path> paths, long freed, String text) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("name", name);
    fields.put("removed", paths.stream().map(Path::toString).toList());
    fields.put("freed_bytes", freed);
    return new Answer(fields, () -> text);
  }
}
