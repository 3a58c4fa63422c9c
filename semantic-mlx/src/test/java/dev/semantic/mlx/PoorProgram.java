package dev.semantic.mlx;

import dev.semantic.cache.AgentId;
import dev.semantic.engine.GenerationRequest;
import dev.semantic.engine.Prompt;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.swap.ModelSwapException;
import java.time.Duration;
import java.util.List;

/** A process that is to swap to a model for which its memory does not suffice. */
final class PoorProgram {
  private static final ModelId SMOL = new ModelId("smollm2-135m-instruct");
  private static final ModelId GEMMA = new ModelId("gemma-3-270m");

  private PoorProgram() {}

  /**
   * Prints what serves after the swap, what the swap said, and what is answered before and after.
   */
  public static void main(String[] args) throws Exception {
    try (MlxModelRuntime runtime = MlxModelRuntime.open();
        ModelRegistry registry =
            ModelRegistry.builder(runtime)
                .budget(new MemoryBudget(ByteSize.parse(args[0])))
                .cacheBytes(ByteSize.ofMiB(128))
                .build()) {
      registry.load(SMOL);
      List<Integer> before = ask(registry);
      try {
        System.out.println(registry.swapWithRollback(GEMMA).outcome());
      } catch (ModelSwapException e) {
        System.out.println(e.report().outcome() + ": " + e.getMessage());
      }
      System.out.println("serving " + registry.current().map(ModelSpec::id));
      System.out.println("same answer " + before.equals(ask(registry)));
      System.out.println("active " + runtime.memory().activeBytes());
    }
  }

  private static List<Integer> ask(ModelRegistry registry) {
    GenerationRequest request =
        GenerationRequest.of(new Prompt.Tokens(new int[] {100, 200, 300, 400}))
            .agent(new AgentId("ada"))
            .maxTokens(6)
            .ignoreEos(true)
            .build();
    return registry.generate(request).await(Duration.ofMinutes(1)).tokens();
  }
}
