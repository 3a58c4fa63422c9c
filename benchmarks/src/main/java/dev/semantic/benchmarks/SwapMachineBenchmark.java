package dev.semantic.benchmarks;

import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.journal.FileSwapJournal;
import dev.semantic.journal.SwapJournal;
import dev.semantic.kv.AgentId;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.ScriptedRuntime;
import dev.semantic.store.MemoryCacheStore;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the registry itself takes for a swap there and back, threads, phases and reports, when
 * models load in no time and agents' caches are a few bytes in memory.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@SuppressWarnings("NullAway.Init") // JMH calls the set-up methods before anything else
public class SwapMachineBenchmark {
  @Param({"both", "one"})
  private String fits;

  @Param({"none", "file"})
  private String journal;

  @Param({"0", "16"})
  private int agents;

  private Path directory;
  private ModelRegistry registry;

  @Setup
  public void serve() throws IOException {
    directory = Files.createTempDirectory("semantic-benchmark");
    // the scripted models take 1 and 2 MB
    ByteSize budget = new ByteSize(fits.equals("both") ? 10_000_000 : 2_200_000);
    registry =
        ModelRegistry.builder(new ScriptedRuntime())
            .budget(new MemoryBudget(budget))
            .cacheBytes(ByteSize.parse("128KiB"))
            .caches(new MemoryCacheStore())
            .journal(
                journal.equals("none")
                    ? SwapJournal.NONE
                    : FileSwapJournal.open(directory.resolve("swap.journal")))
            .build();
    registry.load(Geometry.ALPHA.id());
    for (int i = 0; i < agents; i++) {
      registry
          .generate(
              GenerationRequest.of(new Prompt.Tokens(new int[] {20, 21, 22}))
                  .agent(new AgentId("agent " + i))
                  .maxTokens(2)
                  .build())
          .await();
    }
  }

  @Benchmark
  public SwapReport thereAndBack() throws ModelSwapException {
    registry.swapWithRollback(Geometry.BETA.id());
    return registry.swapWithRollback(Geometry.ALPHA.id());
  }

  @TearDown
  public void close() throws IOException {
    registry.close();
    Files.deleteIfExists(directory.resolve("swap.journal"));
    Files.delete(directory);
  }
}
