package dev.semantic.examples.cli;

import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.isolated.IsolatedRuntime;
import dev.semantic.mlx.store.ModelCatalog;
import dev.semantic.spi.ModelRuntime;

/** Where models run: in this process, or each in one of its own. */
final class Runtimes {
  private Runtimes() {}

  /** A process of its own decides by the machine's memory in which form it computes. */
  static ModelRuntime open(boolean isolated, MemoryBudget budget) {
    return isolated ? IsolatedRuntime.open() : MlxModelRuntime.open(ModelCatalog.ofUser(), budget);
  }
}
