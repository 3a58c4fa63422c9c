package dev.semantic.examples.cli;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import org.jspecify.annotations.Nullable;

/** What {@code --budget} says. */
final class Budgets {
  private Budgets() {}

  /**
   * Reads it.
   *
   * @param given null for the machine's own
   * @throws picocli.CommandLine.ParameterException if it makes no sense
   */
  static MemoryBudget of(@Nullable String given, Subcommand command) {
    try {
      return given == null ? MemoryBudget.ofSystem() : new MemoryBudget(ByteSize.parse(given));
    } catch (IllegalArgumentException e) {
      throw command.misuse("--budget: " + e.getMessage());
    }
  }
}
