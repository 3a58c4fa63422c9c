package dev.semantic.mlx.grammar;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.Constraint;
import dev.semantic.generate.DrainPolicy;
import dev.semantic.generate.FinishReason;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationEvent;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.Sampling;
import dev.semantic.kv.AgentId;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.isolated.IsolatedRuntime;
import dev.semantic.mlx.testing.RequiresGrammar;
import dev.semantic.mlx.testing.RequiresModels;
import dev.semantic.model.ModelId;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.registry.SwapOptions;
import dev.semantic.spi.ModelRuntime;
import java.time.Duration;
import java.util.Iterator;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An answer that must look like something, whose model leaves in the middle of it and returns. */
@RequiresModels
@RequiresGrammar
@Timeout(300)
class ConstrainedSwapTest {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final ModelId SMOL = new ModelId("smollm2-135m-instruct");

  private static final SwapOptions PREEMPT =
      SwapOptions.builder().drainPolicy(DrainPolicy.PREEMPT).returnWithin(PATIENCE).build();

  enum Kind {
    IN_PROCESS,
    ISOLATED;

    private ModelRuntime open() {
      return this == IN_PROCESS ? MlxModelRuntime.open() : IsolatedRuntime.open();
    }
  }

  private static GenerationRequest request() {
    return GenerationRequest.of(new Prompt.Text("Numbers and names:"))
        .agent(new AgentId("ada"))
        .maxTokens(300)
        .sampling(Sampling.GREEDY.withTemperature(1.5).withSeed(3))
        .constraint(new Constraint.Regex("([0-9]{3} [a-z]{4};){20}"))
        .build();
  }

  @ParameterizedTest
  @EnumSource
  void itGoesOnAsItMustAndAsItWouldHave(Kind kind) throws Exception {
    try (ModelRuntime runtime = kind.open();
        ModelRegistry registry = ModelRegistry.builder(runtime).build()) {
      registry.load(SMOL);
      String undisturbed = registry.generate(request()).await(PATIENCE).text();
      registry.forget(new AgentId("ada"));
      Generation answer = registry.generate(request());
      Iterator<GenerationEvent> events = answer.events();
      for (int i = 0; i < 20; i++) {
        events.next();
      }
      registry.swapWithRollback(new ModelId("gemma-3-270m"), PREEMPT);
      assertFalse(answer.isDone(), "it was over before its model left");
      registry.swapWithRollback(SMOL);
      await().atMost(PATIENCE).until(answer::isDone);
      GenerationResult result = answer.await(PATIENCE);
      assertEquals(FinishReason.END_TOKEN, result.reason());
      assertTrue(result.text().matches("([0-9]{3} [a-z]{4};){20}"), result.text());
      assertEquals(undisturbed, result.text());
    }
  }
}
