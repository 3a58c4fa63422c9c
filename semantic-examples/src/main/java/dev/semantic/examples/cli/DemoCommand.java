package dev.semantic.examples.cli;

import dev.semantic.examples.demo.Demo;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The whole story, end to end. */
@Command(
    name = "demo",
    description = "Two agents, two models, swaps there and back, and two swaps that fail.")
final class DemoCommand extends Subcommand {
  @Option(
      names = "--budget",
      paramLabel = "SIZE",
      description =
          "Memory for models and caches, for example 2200MiB: too little for both models makes"
              + " the old one leave first. Default: three quarters of the machine's.")
  private @Nullable String budget;

  @Override
  Answer answer() throws IOException {
    Map<String, Object> story = new Demo(terminal(), json(), memory()).run();
    return new Answer(story, () -> "");
  }

  private MemoryBudget memory() {
    try {
      return budget == null ? MemoryBudget.ofSystem() : new MemoryBudget(ByteSize.parse(budget));
    } catch (IllegalArgumentException e) {
      throw misuse("--budget: " + e.getMessage());
    }
  }
}
