package dev.semantic.examples.cli;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.Mlx;
import org.jspecify.annotations.Nullable;

/** What {@code --budget} says, or what the device says where nothing is said. */
final class Budgets {
  private Budgets() {}

  /** Of models in this process, which loads MLX for it unless a size is given. */
  static MemoryBudget of(Subcommand command, @Nullable String size) {
    return size == null ? Mlx.open().budget() : parsed(command, size);
  }

  /**
   * @throws picocli.CommandLine.ParameterException if it is none
   */
  static MemoryBudget parsed(Subcommand command, String size) {
    try {
      return new MemoryBudget(ByteSize.parse(size));
    } catch (IllegalArgumentException e) {
      throw command.misuse("--budget: " + e.getMessage());
    }
  }
}
