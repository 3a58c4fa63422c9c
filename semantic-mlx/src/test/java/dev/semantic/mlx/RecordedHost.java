package dev.semantic.mlx;

import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.kv.AgentId;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.testing.LogitsRecorder;
import dev.semantic.mlx.testing.RandomGguf;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.store.CacheStore;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/** A registry of small models, all of whose logits are noted. The runtime is not its own. */
final class RecordedHost implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  final LogitsRecorder recorder;
  final ModelRegistry registry;

  RecordedHost(MlxModelRuntime runtime, CacheStore caches) {
    recorder = new LogitsRecorder(runtime);
    registry =
        ModelRegistry.builder(recorder)
            .caches(caches)
            .budget(new MemoryBudget(ByteSize.ofGiB(2)))
            .cacheBytes(ByteSize.ofMiB(64))
            .build();
  }

  /** What the model says to a prompt: so many tokens. */
  GenerationResult turn(String agent, int[] prompt, int count) {
    GenerationRequest request =
        GenerationRequest.of(new Prompt.Tokens(prompt))
            .agent(new AgentId(agent))
            .maxTokens(count)
            .ignoreEos(true)
            .build();
    return registry.generate(request).await(PATIENCE);
  }

  /** The same, with the prompt before it. */
  int[] said(String agent, int[] prompt, int count) {
    List<Integer> answer = turn(agent, prompt, count).tokens();
    int[] all = Arrays.copyOf(prompt, prompt.length + count);
    for (int i = 0; i < count; i++) {
      all[prompt.length + i] = answer.get(i);
    }
    return all;
  }

  /** Of every small model's vocabulary. */
  static int[] tokens(int count, int seed) {
    int[] tokens = new int[count];
    Arrays.setAll(tokens, i -> 2 + (i * 37 + i / 7 * 11 + seed * 5) % (RandomGguf.VOCABULARY - 2));
    return tokens;
  }

  @Override
  public void close() {
    registry.close();
  }
}
