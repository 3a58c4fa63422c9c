package dev.semantic.examples.cli;

import dev.semantic.examples.terminal.PlainText;
import dev.semantic.examples.terminal.Progress;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.models.ModelVerifier;
import dev.semantic.mlx.models.ModelVerifier.Checked;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.pip.PipModels;
import dev.semantic.spi.PreparedModel;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Compares a model's files with their checksums. */
@Command(
    name = "verify",
    description = {
      "Reads a model's files and compares them with the checksums they were fetched by.",
      "Changes nothing. Fails if one is damaged, and with --compute also if the model computes no"
          + " numbers."
    })
final class VerifyCommand extends Subcommand {
  @Parameters(paramLabel = "NAME", description = "A name of 'semantic models'.")
  private String name = "";

  @Option(
      names = "--compute",
      description =
          "Loads the model besides, and sees whether all of its weights are numbers and its answers"
              + " differ.")
  private boolean compute;

  private boolean damaged;

  @Override
  public Integer call() throws IOException {
    super.call();
    return damaged ? 1 : 0;
  }

  @Override
  Answer answer() {
    ModelId id = new ModelId(name);
    List<Checked> checked;
    try (Progress progress = Progress.drawn(terminal(), "Verifying " + id)) {
      checked = new ModelVerifier(PipModels.catalog()).verify(id, progress::update);
    }
    if (checked.isEmpty()) {
      throw new ModelException(ModelException.Kind.NOT_FOUND, "There are no files of " + id);
    }
    damaged = checked.stream().anyMatch(Checked::damaged);
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("name", name);
    fields.put("intact", !damaged);
    fields.put("files", checked.stream().map(VerifyCommand::json).toList());
    if (compute && !damaged) {
      compute(id);
      fields.put("computes", true); // else there is an error and no answer
    }
    return new Answer(fields, () -> lines(checked));
  }

  private void compute(ModelId id) {
    try (MlxModelRuntime runtime = MlxModelRuntime.open();
        PreparedModel prepared = runtime.prepare(id);
        Progress progress = Progress.drawn(terminal(), "Loading " + id)) {
      prepared.load(progress::update).close();
    }
  }

  private String lines(List<Checked> checked) {
    String lines = checked.stream().map(VerifyCommand::line).collect(Collectors.joining("\n"));
    return damaged
        ? lines
            + "\nTo mend it: semantic models remove %s --yes, and fetch it again".formatted(name)
        : lines;
  }

  private static String state(Checked file) {
    if (file.expected().isEmpty()) {
      return "unknown";
    }
    return file.damaged() ? "damaged" : "intact";
  }

  private static Map<String, @Nullable Object> json(Checked file) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("path", file.file().toString());
    fields.put("state", state(file));
    fields.put("expected", file.expected().orElse(null));
    fields.put("found", file.found().orElse(null));
    return fields;
  }

  private static String line(Checked file) {
    return "%-8s %s".formatted(state(file), PlainText.name(file.file()));
  }
}
