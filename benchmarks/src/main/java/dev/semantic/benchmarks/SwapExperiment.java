package dev.semantic.benchmarks;

import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.kv.AgentId;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.memory.ReclaimReport;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.model.ModelId;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * EXP-011 and EXP-012: swaps between the two real models, both ways, with agents whose caches go
 * and come back; once with room for both models, once with room for one. Prints Markdown tables:
 * what each swap gave back, and how long each phase took.
 *
 * <p>{@code java -cp benchmarks/target/benchmarks.jar dev.semantic.benchmarks.SwapExperiment
 * [rounds]}
 */
public final class SwapExperiment {
  private static final ModelId SMOLLM2 = new ModelId("smollm2-135m-instruct");
  private static final ModelId GEMMA3 = new ModelId("gemma-3-270m");
  private static final ByteSize CACHES = ByteSize.ofMiB(256);
  private static final int AGENTS = 3;
  private static final int PROMPT = 200;
  private static final int STEPS = 8;

  /**
   * A swap and what was seen after it.
   *
   * @param residentSize what the kernel counts for the process
   * @param firstToken from a request to its first token, of an agent that was parked
   * @param step of decoding, afterwards
   */
  private record Row(
      SwapReport report, ByteSize residentSize, Duration firstToken, Duration step) {}

  private SwapExperiment() {}

  public static void main(String[] args) throws IOException, ModelSwapException {
    int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 3;
    run("Both fit", new MemoryBudget(ByteSize.ofGiB(4)), rounds);
    run("One fits", new MemoryBudget(ByteSize.ofMiB(1500)), rounds);
  }

  private static void run(String title, MemoryBudget budget, int rounds)
      throws IOException, ModelSwapException {
    Path caches = Files.createTempDirectory("semantic-exp");
    List<Row> reports = new ArrayList<>();
    try (MlxModelRuntime runtime = MlxModelRuntime.open();
        DiskCacheStore store = DiskCacheStore.open(caches);
        ModelRegistry registry =
            ModelRegistry.builder(runtime)
                .caches(store)
                .budget(budget)
                .cacheBytes(CACHES)
                .build()) {
      registry.load(SMOLLM2);
      for (int i = 0; i < rounds; i++) {
        talk(registry);
        reports.add(swap(registry, GEMMA3));
        talk(registry);
        reports.add(swap(registry, SMOLLM2));
      }
    }
    print(title, reports);
  }

  private static Row swap(ModelRegistry registry, ModelId target) throws ModelSwapException {
    SwapReport report = registry.swapWithRollback(target);
    ByteSize resident = residentSize();
    Duration first = talk(registry, 0, 1);
    Duration more = talk(registry, 0, 1 + STEPS);
    return new Row(report, resident, first, more.minus(first).dividedBy(STEPS));
  }

  private static void talk(ModelRegistry registry) {
    for (int agent = 0; agent < AGENTS; agent++) {
      talk(registry, agent, 4);
    }
  }

  /** The same prompt each time: all of it but its last token is in an agent's cache. */
  private static Duration talk(ModelRegistry registry, int agent, int tokens) {
    int[] prompt = IntStream.range(0, PROMPT).map(i -> 20 + i % 89).toArray();
    long start = System.nanoTime();
    registry
        .generate(
            GenerationRequest.of(new Prompt.Tokens(prompt))
                .agent(new AgentId("agent " + agent))
                .ignoreEos(true)
                .maxTokens(tokens)
                .build())
        .await();
    return Duration.ofNanos(System.nanoTime() - start);
  }

  private static void print(String title, List<Row> rows) {
    List<SwapReport> reports = rows.stream().map(Row::report).toList();
    List<SwapPhase> phases = List.copyOf(reports.getFirst().phases().keySet());
    System.out.printf("%n### %s: %s%n%n", title, reports.getFirst().plan().orElseThrow().reason());
    System.out.print("| swap |");
    phases.forEach(phase -> System.out.printf(" %s |", phase.name().toLowerCase(Locale.ROOT)));
    System.out.println(
        " total | of this the registry's | blackout | parked | restored | first token | step | RSS"
            + " |");
    System.out.println("|---|" + "--:|".repeat(phases.size() + 8));
    for (Row row : rows) {
      SwapReport report = row.report();
      System.out.printf("| %s → %s |", report.from().orElseThrow(), report.to().orElseThrow());
      phases.forEach(
          phase ->
              System.out.printf(
                  " %s |", millis(report.phases().getOrDefault(phase, Duration.ZERO))));
      System.out.printf(
          " %s | %s | %s | %d | %d | %s | %s | %s |%n",
          millis(report.total()),
          millis(outsideOfPhases(report)),
          millis(report.blackout()),
          report.agentsParked(),
          report.agentsRestored(),
          millis(row.firstToken()),
          millis(row.step()),
          row.residentSize());
    }
    System.out.println();
    System.out.println("| swap | active before | model took | active after unload | reclaimed |");
    System.out.println("|---|--:|--:|--:|--:|");
    for (SwapReport report : reports) {
      ReclaimReport reclaim = report.reclaim().orElseThrow();
      System.out.printf(
          Locale.ROOT,
          "| %s → %s | %,d | %,d | %,d | %.3f %% |%n",
          report.from().orElseThrow(),
          report.to().orElseThrow(),
          reclaim.before().bytes(),
          reclaim.modelBytes().bytes(),
          reclaim.afterUnload().bytes(),
          100 * reclaim.reclaimedShare());
    }
  }

  private static Duration outsideOfPhases(SwapReport report) {
    return report.phases().values().stream().reduce(report.total(), Duration::minus);
  }

  private static String millis(Duration duration) {
    return String.format(Locale.ROOT, "%.1f ms", duration.toNanos() / 1e6);
  }

  /** What the kernel counts for this process now; zero where it does not say. */
  private static ByteSize residentSize() {
    try {
      return Files.readAllLines(Path.of("/proc/self/status")).stream()
          .filter(line -> line.startsWith("VmRSS:"))
          .map(line -> line.replaceAll("\\D", ""))
          .map(kib -> new ByteSize(Long.parseLong(kib) * 1024))
          .findFirst()
          .orElse(ByteSize.ZERO);
    } catch (IOException e) {
      return ByteSize.ZERO;
    }
  }
}
