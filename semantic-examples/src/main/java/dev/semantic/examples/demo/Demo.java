package dev.semantic.examples.demo;

import dev.semantic.examples.terminal.Terminal;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.models.KnownModel;
import dev.semantic.model.ModelId;
import dev.semantic.pip.PipModels;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapOutcome;
import dev.semantic.swap.SwapReport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/**
 * The story: two agents tell a model something, another model takes over, the first one returns and
 * they go on where they were; then two swaps fail, and nobody notices. What it claims it checks: it
 * fails where a claim does not hold.
 */
public final class Demo {
  private static final ModelId SMOL = new ModelId(PipModels.SMOLLM2.name());
  private static final ModelId GEMMA = new ModelId(PipModels.GEMMA3.name());
  private static final int ANSWER_TOKENS = 40;

  private final Terminal terminal;
  private final MemoryBudget budget;
  private final DemoScript script;
  private final int answerTokens;

  /**
   * A demo that has not begun.
   *
   * @param silent whether only the result is wanted
   */
  public Demo(Terminal terminal, boolean silent, MemoryBudget budget) {
    this(terminal, silent, budget, ANSWER_TOKENS);
  }

  Demo(Terminal terminal, boolean silent, MemoryBudget budget, int answerTokens) {
    this.terminal = terminal;
    this.budget = budget;
    this.script = new DemoScript(terminal, silent);
    this.answerTokens = answerTokens;
  }

  /**
   * Tells the story.
   *
   * @return all of it, for {@code --json}: swaps and answers in order
   * @throws IllegalStateException if something is not as it is claimed to be
   */
  public Map<String, Object> run() throws IOException {
    script.fetch(PipModels.SMOLLM2);
    script.fetch(PipModels.GEMMA3);
    try (Workplace workplace = Workplace.create();
        MlxModelRuntime runtime = MlxModelRuntime.open();
        DiskCacheStore caches = DiskCacheStore.open(workplace.caches())) {
      Sabotage sabotage = new Sabotage();
      try (ModelRegistry registry =
          ModelRegistry.builder(runtime)
              .caches(caches)
              .budget(budget)
              .listener(new SwapProgress(terminal))
              .listener(sabotage)
              .build()) {
        tell(registry, workplace, sabotage);
      }
    }
    return script.asJson();
  }

  private void tell(ModelRegistry registry, Workplace workplace, Sabotage sabotage)
      throws IOException {
    Agent ada = new Agent("Ada", registry, script, answerTokens);
    Agent bob = new Agent("Bob", registry, script, answerTokens);

    script.chapter("Loading " + SMOL);
    script.report(registry.load(SMOL));
    ada.says("Hello! My name is Ada, and my boat is called Nele. Please greet me.");
    bob.says("Hello! My name is Bob, and I live in Lisbon. Please greet me.");

    script.chapter("Swapping to " + GEMMA + ", a base model: it continues texts");
    swap(registry, GEMMA);
    script.parked(workplace.caches());
    ada.writes("Ada looked at her boat and");
    bob.writes("Bob walked through Lisbon and");

    script.chapter("Swapping back: both agents continue from what they left on disk");
    swap(registry, SMOL);
    ada.remembers("What is the name of my boat?");
    bob.remembers("What is the name of the city I live in?");

    script.chapter("A swap to a truncated file: refused before anything is touched");
    Path truncated = workplace.truncatedCopy(path(PipModels.GEMMA3));
    fail(registry, new ModelId(truncated.toString()), SwapOutcome.REFUSED);
    ada.remembers("Thank you! Are you still there?");

    script.chapter("A swap to a file that changes while it is loaded: rolled back");
    Path changing = workplace.copy(path(PipModels.SMOLLM2));
    sabotage.touchWhenLoading(changing);
    fail(registry, new ModelId(changing.toString()), SwapOutcome.ROLLED_BACK);
    bob.remembers("Thank you! Are you still there?");
  }

  private void swap(ModelRegistry registry, ModelId target) {
    try {
      script.report(registry.swapWithRollback(target));
    } catch (ModelSwapException e) {
      throw new IllegalStateException(e.getMessage(), e);
    }
  }

  private void fail(ModelRegistry registry, ModelId target, SwapOutcome expected) {
    try {
      registry.swapWithRollback(target);
    } catch (ModelSwapException e) {
      SwapReport report = e.report();
      script.report(report);
      boolean asClaimed =
          report.outcome() == expected && e.serving().filter(s -> s.id().equals(SMOL)).isPresent();
      if (!asClaimed) {
        throw new IllegalStateException("This swap should have been " + expected, e);
      }
      return;
    }
    throw new IllegalStateException("The swap to %s should have failed".formatted(target));
  }

  private static Path path(KnownModel model) {
    return PipModels.catalog().path(model);
  }
}
