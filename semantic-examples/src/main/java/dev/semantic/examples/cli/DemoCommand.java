package dev.semantic.examples.cli;

import dev.semantic.examples.demo.Demo;
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
              + " the old one leave first. Default: what the device recommends, or three"
              + " quarters of the machine's.")
  private @Nullable String budget;

  @Override
  Answer answer() throws IOException {
    Map<String, Object> story = new Demo(terminal(), json(), Budgets.of(this, budget)).run();
    return new Answer(story, () -> "");
  }
}
