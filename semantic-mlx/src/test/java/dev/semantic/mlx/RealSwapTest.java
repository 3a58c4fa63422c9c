package dev.semantic.mlx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.FinishReason;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.kv.AgentId;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.testing.RequiresModels;
import dev.semantic.mlx.testing.ResidentSet;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.registry.SwapOptions;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapReport;
import dev.semantic.swap.SwapStrategy;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Swaps between the two real models, under load, with everything that they promise. */
@RequiresModels
class RealSwapTest {
  private static final ModelId SMOL = new ModelId("smollm2-135m-instruct");
  private static final ModelId GEMMA = new ModelId("gemma-3-270m");
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final int SWAPS = Integer.getInteger("semantic.swaps", 10);

  /** Holds the larger model and 128 MiB of caches, but never both. */
  private static final ByteSize TIGHT = ByteSize.ofMiB(1450);

  @TempDir Path directory;

  private static ByteSize budget(SwapStrategy strategy) {
    return strategy == SwapStrategy.BREAK_BEFORE_MAKE ? TIGHT : ByteSize.ofMiB(4096);
  }

  /** A place where the test's agents live. */
  private final class House implements AutoCloseable {
    private final MlxModelRuntime runtime = MlxModelRuntime.open();
    private final DiskCacheStore caches = DiskCacheStore.open(directory.resolve("caches"));
    private final ModelRegistry registry;

    private House(ByteSize budget) {
      registry =
          ModelRegistry.builder(runtime)
              .caches(caches)
              .budget(new MemoryBudget(budget))
              .cacheBytes(ByteSize.ofMiB(128))
              .build();
    }

    private Generation ask(String agent, int atMost, int... prompt) {
      return registry.generate(
          GenerationRequest.of(new Prompt.Tokens(prompt))
              .agent(new AgentId(agent))
              .maxTokens(atMost)
              .ignoreEos(true)
              .build());
    }

    private int[] turn(String agent, int... prompt) {
      return said(prompt, ask(agent, 4, prompt).await(PATIENCE));
    }

    @Override
    public void close() {
      registry.close();
      caches.close();
      runtime.close();
    }
  }

  private static int[] said(int[] prompt, GenerationResult answer) {
    int[] all = Arrays.copyOf(prompt, prompt.length + answer.tokens().size());
    for (int i = 0; i < answer.tokens().size(); i++) {
      all[prompt.length + i] = answer.tokens().get(i);
    }
    return all;
  }

  private static int[] prompt(int length, int seed) {
    int[] tokens = new int[length];
    Arrays.setAll(tokens, i -> 100 + (i * 37 + seed * 11) % 5000);
    return tokens;
  }

  @ParameterizedTest
  @EnumSource(
      value = SwapStrategy.class,
      names = {"MAKE_BEFORE_BREAK", "BREAK_BEFORE_MAKE"})
  void cachesOutliveTheirModelAndTheFirstTokensAreThoseOfAFreshOne(SwapStrategy strategy)
      throws Exception {
    try (House house = new House(budget(strategy))) {
      house.registry.load(SMOL);
      int[] first = prompt(40, 1);
      List<Integer> fresh = house.ask("fresh", 8, first).await(PATIENCE).tokens();
      List<int[]> talks = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        talks.add(house.turn("agent-" + i, prompt(30 + i, i)));
      }
      SwapReport there = house.registry.swapWithRollback(GEMMA);
      assertEquals(strategy, there.plan().orElseThrow().strategy());
      assertEquals(6, there.agentsParked());
      assertEquals(1.0, there.reclaim().orElseThrow().reclaimedShare(), 0.001);
      assertEquals(0, house.ask("agent-0", 2, talks.get(0)).await(PATIENCE).cachedTokens());
      SwapReport back = house.registry.swapWithRollback(SMOL);
      assertEquals(6, back.agentsRestored());
      for (int i = 0; i < 5; i++) {
        GenerationResult again = house.ask("agent-" + i, 2, talks.get(i)).await(PATIENCE);
        assertEquals(talks.get(i).length - 1, again.cachedTokens(), "agent " + i);
      }
      assertEquals(fresh, house.ask("another", 8, first).await(PATIENCE).tokens());
    }
  }

  @Test
  void fiveAgentsWhoAreGeneratingAllComeToTheirEnd() throws Exception {
    try (House house = new House(budget(SwapStrategy.MAKE_BEFORE_BREAK))) {
      house.registry.load(SMOL);
      List<Generation> running = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        running.add(house.ask("agent-" + i, 24, prompt(20 + i, i)));
      }
      ModelSpec smol = house.registry.current().orElseThrow();
      house.registry.swapWithRollback(GEMMA);
      for (Generation generation : running) {
        GenerationResult answer = generation.await(PATIENCE);
        assertEquals(FinishReason.MAX_TOKENS, answer.reason());
        assertEquals(24, answer.tokens().size());
        assertEquals(smol.tag(), answer.model());
      }
      assertEquals(Optional.of(GEMMA), house.registry.current().map(ModelSpec::id));
    }
  }

  @Test
  void nothingGrowsFromSwapToSwap() throws Exception {
    try (House house = new House(budget(SwapStrategy.MAKE_BEFORE_BREAK))) {
      house.registry.load(SMOL);
      house.registry.swapWithRollback(GEMMA); // everything has been touched once
      house.registry.swapWithRollback(SMOL);
      List<Sample> samples = new ArrayList<>();
      for (int i = 0; i < SWAPS; i++) {
        house.turn("ada", prompt(30, i));
        house.registry.swapWithRollback(i % 2 == 0 ? GEMMA : SMOL);
        if (i % 2 == 1) {
          samples.add(Sample.of(house.runtime, house.registry));
        }
      }
      Sample first = samples.getFirst();
      for (Sample sample : samples) {
        // MLX may use a buffer again that is a little larger than it needs
        assertEquals(
            (double) first.active(),
            (double) sample.active(),
            (double) first.active() / 1000,
            "bytes " + samples);
        assertEquals(first.handles(), sample.handles(), "live handles " + samples);
        assertEquals(first.blocks(), sample.blocks(), "available blocks " + samples);
      }
      long heap = samples.getLast().heap() - first.heap();
      assertTrue(heap < 8L << 20, () -> "the heap has grown: " + samples);
      long rss = samples.getLast().rss() - first.rss();
      assertTrue(rss < 64L << 20, () -> "the process has grown: " + samples);
    }
  }

  /** What could grow, with nobody generating and SmolLM2 in memory. */
  private record Sample(long active, long handles, int blocks, long heap, long rss) {
    private static Sample of(MlxModelRuntime runtime, ModelRegistry registry) throws Exception {
      System.gc();
      return new Sample(
          runtime.memory().activeBytes(),
          Mlx.liveHandles(),
          registry.pool().availableBlocks(),
          ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed(),
          ResidentSet.bytes());
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aPhaseThatFailsLeavesTheOldModelWithItsAgents(boolean roomy) throws Exception {
    SwapStrategy strategy = roomy ? SwapStrategy.MAKE_BEFORE_BREAK : SwapStrategy.BREAK_BEFORE_MAKE;
    try (House house = new House(budget(strategy))) {
      house.registry.load(SMOL);
      int[] talk = house.turn("ada", prompt(30, 1));
      for (SwapPhase phase : strategy.phases()) {
        SwapOptions failing =
            SwapOptions.builder()
                .guard(
                    now -> {
                      if (now == phase) {
                        throw new IllegalStateException("not now");
                      }
                    })
                .build();
        var failed =
            assertThrows(
                ModelSwapException.class, () -> house.registry.swapWithRollback(GEMMA, failing));
        assertEquals(phase, failed.phase());
        assertEquals(Optional.of(SMOL), failed.report().serving());
        GenerationResult again = house.ask("ada", 2, talk).await(PATIENCE);
        assertEquals(talk.length - 1, again.cachedTokens(), "after " + phase);
        talk = said(talk, again);
      }
    }
  }
}
