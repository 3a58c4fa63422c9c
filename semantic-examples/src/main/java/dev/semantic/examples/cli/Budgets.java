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

  /** Of what needs no MLX: the machine's memory, where nothing is said. */
  static MemoryBudget ofMachine(Subcommand command, @Nullable String size) {
    return size == null ? MemoryBudget.ofSystem() : parsed(command, size);
  }

  /**
   * A size as it is given.
   *
   * @throws picocli.CommandLine.ParameterException if it makes no sense
   */
  static MemoryBudget parsed(Subcommand command, String size) {
    try {
      return new MemoryBudget(ByteSize.parse(size));
    } catch (IllegalArgumentException e) {
      throw command.misuse("--budget: " + e.getMessage());
    }
  }
}
