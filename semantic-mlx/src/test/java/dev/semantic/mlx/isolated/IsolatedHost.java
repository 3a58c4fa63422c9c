package dev.semantic.mlx.isolated;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.semantic.generate.EngineOptions;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.store.MemoryCacheStore;
import dev.semantic.swap.SwapListener;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** A registry over scripted models in processes of their own, to which things happen. */
final class IsolatedHost implements AutoCloseable {
  final Troubles troubles;
  final IsolatedRuntime runtime;
  final ModelRegistry registry;

  IsolatedHost(Path directory, ByteSize budget, SwapListener listener) {
    troubles = new Troubles(directory);
    runtime = troubles.runtime().open();
    registry =
        ModelRegistry.builder(runtime)
            .budget(new MemoryBudget(budget))
            .cacheBytes(ByteSize.parse("128KiB"))
            .engine(new EngineOptions(4, 100, Duration.ofSeconds(15), 16, false))
            .caches(new MemoryCacheStore())
            .listener(listener)
            .build();
  }

  Generation begin(String agent, int... prompt) {
    return registry.generate(ScriptedHost.request(agent, 5, prompt));
  }

  /** Asks for five tokens; they must be those that the model which answers would say. */
  GenerationResult ask(String agent, int... prompt) {
    GenerationRequest request = ScriptedHost.request(agent, 5, prompt);
    GenerationResult result = registry.generate(request).await(Troubles.PATIENCE);
    Geometry model = serving();
    assertEquals(model.tag(), result.model());
    assertEquals(model.answer(prompt, 5), result.tokens(), () -> model + " would not say that");
    return result;
  }

  /** The agent's conversation after a turn. */
  int[] turn(String agent, int... prompt) {
    return ScriptedHost.said(prompt, ask(agent, prompt));
  }

  Geometry serving() {
    String name = registry.current().orElseThrow().id().name();
    return List.of(Geometry.values()).stream()
        .filter(model -> model.id().name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  @Override
  public void close() {
    List<Long> pids = Troubles.pids(runtime);
    registry.close();
    runtime.close();
    assertEquals(0, runtime.memory().activeBytes());
    Troubles.assertGone(pids);
  }
}
