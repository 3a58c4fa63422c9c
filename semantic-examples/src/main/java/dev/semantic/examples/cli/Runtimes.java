package dev.semantic.examples.cli;

import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.isolated.IsolatedRuntime;
import dev.semantic.mlx.store.ModelCatalog;
import dev.semantic.spi.ModelRuntime;

/** Where models run: in this process, or each in one of its own. */
final class Runtimes {
  private Runtimes() {}

  /** Either way the budget decides in which form a model is computed. */
  static ModelRuntime open(boolean isolated, MemoryBudget budget) {
    return isolated
        ? IsolatedRuntime.builder().budget(budget).open()
        : MlxModelRuntime.open(ModelCatalog.ofUser(), budget);
  }
}
