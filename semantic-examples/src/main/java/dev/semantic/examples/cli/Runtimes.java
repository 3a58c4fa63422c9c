package dev.semantic.examples.cli;

import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.isolated.IsolatedRuntime;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.pip.PipModels;
import dev.semantic.spi.ModelRuntime;
import java.util.Optional;

/** Where models run: in this process, or each in one of its own. */
final class Runtimes {
  private Runtimes() {}

  /**
   * Either way the budget decides in which form a model is computed; where there is none, the
   * device's own, or the machine's for processes.
   */
  static ModelRuntime open(boolean isolated, Optional<MemoryBudget> budget) {
    ModelCatalog catalog = PipModels.catalog();
    if (isolated) {
      return IsolatedRuntime.builder().budget(budget.orElseGet(MemoryBudget::ofSystem)).open();
    }
    return budget
        .map(memory -> MlxModelRuntime.open(catalog, memory))
        .orElseGet(() -> MlxModelRuntime.open(catalog));
  }
}
