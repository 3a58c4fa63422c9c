package dev.semantic.examples.cli;

import dev.semantic.memory.ByteSize;
import dev.semantic.mlx.store.CatalogModel;
import dev.semantic.mlx.store.ModelCatalog;
import dev.semantic.mlx.store.ModelState;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;

/** The models that can be asked for by name. */
@Command(name = "models", description = "Lists the models that can be fetched, and which are here.")
final class ModelsCommand extends Subcommand {
  @Override
  Answer answer() {
    ModelCatalog catalog = ModelCatalog.ofUser();
    List<Map<String, @Nullable Object>> models =
        catalog.models().stream().map(model -> fields(catalog, model)).toList();
    return new Answer(
        Map.of("models", models),
        () -> models.stream().map(ModelsCommand::line).collect(Collectors.joining("\n")));
  }

  static Map<String, @Nullable Object> fields(ModelCatalog catalog, CatalogModel model) {
    ModelState state = catalog.state(model);
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("name", model.name());
    fields.put("path", state == ModelState.READY ? catalog.path(model).toString() : null);
    fields.put("size_bytes", model.sizeBytes());
    fields.put("license", model.license());
    fields.put("state", state.toString());
    return fields;
  }

  private static String line(Map<String, @Nullable Object> model) {
    return "%-24s %-8s %9s  %-11s %s"
        .formatted(
            model.get("name"),
            model.get("state"),
            new ByteSize((Long) Objects.requireNonNull(model.get("size_bytes"))),
            model.get("license"),
            Objects.requireNonNullElse(model.get("path"), ""));
  }
}
