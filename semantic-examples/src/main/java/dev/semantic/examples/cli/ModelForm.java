package dev.semantic.examples.cli;

import dev.semantic.examples.terminal.PlainText;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.MlxException;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.models.AvailableModel;
import dev.semantic.mlx.models.Fit;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.mlx.models.ModelSource;
import dev.semantic.model.ModelException;
import dev.semantic.pip.PipModels;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A model of the catalogue, as the commands about models show it. */
final class ModelForm {
  private ModelForm() {}

  /** All there are, with whether there is memory for each. */
  static List<AvailableModel> available(ModelCatalog catalog) {
    MemoryBudget budget = MemoryBudget.ofSystem();
    if (catalog.available().stream().noneMatch(AvailableModel::complete)) {
      return catalog.available(model -> unfetched(catalog, model, budget));
    }
    try (MlxModelRuntime runtime = MlxModelRuntime.open(catalog)) {
      Fit here = within(budget, runtime);
      return catalog.available(
          model -> model.complete() ? here.judge(model) : unfetched(catalog, model, budget));
    } catch (MlxException e) {
      // a list needs no MLX; what computes says what is wrong with it
      return catalog.available(model -> unfetched(catalog, model, budget));
    }
  }

  /** Of a known model it is known before it is here. */
  private static Optional<Boolean> unfetched(
      ModelCatalog catalog, AvailableModel model, MemoryBudget budget) {
    return model.source() != ModelSource.KNOWN
        ? Optional.empty()
        : catalog
            .find(model.name())
            .map(known -> new ByteSize(known.leastMemoryBytes()).compareTo(budget.total()) <= 0);
  }

  /** One of them, likewise. */
  static AvailableModel judged(AvailableModel model) {
    return available(PipModels.catalog()).stream()
        .filter(other -> other.path().equals(model.path()))
        .findFirst()
        .orElse(model);
  }

  private static Fit within(MemoryBudget budget, MlxModelRuntime runtime) {
    return model ->
        model
            .path()
            .filter(path -> model.complete())
            .flatMap(path -> footprint(runtime, path))
            .map(size -> size.compareTo(budget.total()) <= 0);
  }

  /** Empty for what this version cannot load. */
  private static Optional<ByteSize> footprint(MlxModelRuntime runtime, Path path) {
    try {
      return Optional.of(runtime.footprint(path));
    } catch (ModelException e) {
      return Optional.empty();
    }
  }

  static Map<String, @Nullable Object> json(AvailableModel model) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("name", model.name());
    fields.put("path", model.path().map(Path::toString).orElse(null));
    fields.put("size_bytes", model.sizeBytes());
    fields.put("license", model.license().orElse(null));
    fields.put("state", model.state().toString());
    fields.put("architecture", model.architecture().orElse(null));
    fields.put("fits", model.fits().orElse(null));
    fields.put("complete", model.complete());
    return fields;
  }

  static String line(AvailableModel model) {
    String fits = model.fits().map(yes -> yes ? "fits" : "too large").orElse("");
    String where =
        model.complete()
            ? model.path().map(Path::toString).orElse("")
            : "without " + String.join(", ", model.missing());
    return "%-24s %-8s %9s  %-11s %-9s %-9s %s"
        .formatted(
            PlainText.name(model.name()),
            model.state(),
            new ByteSize(model.sizeBytes()),
            PlainText.name(model.license().orElse("?")),
            PlainText.name(model.architecture().orElse("?")),
            fits,
            PlainText.name(where))
        .stripTrailing();
  }
}
