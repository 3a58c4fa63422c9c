package dev.semantic.benchmarks.scale;

import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.MemoryForecast;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * EXP-016: SmolLM2 → the shape of Gemma-3-12B → the shape of Qwen-2.5-14B → SmolLM2, under a budget
 * that holds one large model at a time, with an agent in SmolLM2 who must come back to the bit. On
 * each round the files are cold, or warm. Prints Markdown. Takes 24 GB of memory to itself.
 *
 * <p>{@code java -Xmx1g -cp benchmarks/target/benchmarks.jar
 * dev.semantic.benchmarks.scale.SeedScaleExperiment DIRECTORY [cold|warm]…}, where {@link
 * SeedModels} wrote the models
 */
public final class SeedScaleExperiment {
  private static final MemoryBudget ONE_FITS = new MemoryBudget(ByteSize.ofMiB(10_000));
  private static final MemoryBudget NONE_FITS = new MemoryBudget(ByteSize.ofGiB(4));
  private static final ByteSize POOL = ByteSize.ofMiB(256);
  private static final ModelId SMOLLM2 = new ModelId("smollm2-135m-instruct");
  private static final AgentId LEAVES = new AgentId("leaves and returns");
  private static final AgentId STAYS = new AgentId("said all before");
  private static final int ANSWER = 16;

  private final List<ModelId> way;
  private final Map<ModelId, ModelDisk> disks = new LinkedHashMap<>();
  private final List<SwapRow> rows = new ArrayList<>();

  private SeedScaleExperiment(Path models) throws IOException {
    ModelId gemma = new ModelId(models.resolve(RandomModel.gemma3().name()).toString());
    ModelId qwen = new ModelId(models.resolve(RandomModel.qwen25().name()).toString());
    this.way = List.of(gemma, qwen, SMOLLM2);
    for (ModelId id : way) {
      disks.put(id, new ModelDisk(ModelCatalog.ofUser().resolve(id)));
    }
  }

  public static void main(String[] args) throws Exception {
    if (args.length == 0) {
      System.err.println("usage: SeedScaleExperiment DIRECTORY [cold|warm]...");
      System.exit(2);
    }
    List<String> rounds = args.length > 1 ? List.of(args).subList(1, args.length) : List.of("warm");
    SeedScaleExperiment experiment = new SeedScaleExperiment(Path.of(args[0]));
    experiment.refusal();
    for (String round : rounds) {
      experiment.round(round.equals("cold"));
    }
    SwapRow.print(experiment.rows);
  }

  /** A model that no form of fits is refused, and SmolLM2 has not noticed. */
  private void refusal() throws ModelSwapException {
    try (MlxModelRuntime runtime = MlxModelRuntime.open(ModelCatalog.ofUser(), NONE_FITS);
        ModelRegistry registry =
            ModelRegistry.builder(runtime).budget(NONE_FITS).cacheBytes(POOL).build()) {
      registry.load(SMOLLM2);
      List<Integer> before = ask(registry, STAYS, prompt()).tokens();
      for (ModelId large : way.subList(0, 2)) {
        long start = System.nanoTime();
        try {
          registry.validate(large);
          throw new IllegalStateException(large + " was found good");
        } catch (ModelException e) {
          System.out.printf("%nLooked at in %s: %s%n", seconds(start), e.getMessage());
        }
        start = System.nanoTime();
        try {
          registry.swapWithRollback(large);
          throw new IllegalStateException(large + " was let in");
        } catch (ModelSwapException e) {
          SwapReport report = registry.history().getLast();
          System.out.printf(
              "Refused in %s: %s; %s, phases %s, blackout %s%n",
              seconds(start),
              e.getMessage(),
              report.outcome(),
              report.phases().keySet(),
              report.blackout());
        }
      }
      boolean same = ask(registry, STAYS, prompt()).tokens().equals(before);
      System.out.println("SmolLM2 answers as before: " + same);
    }
  }

  private void round(boolean cold) throws Exception {
    Path caches = Files.createTempDirectory("semantic-exp");
    ModelSpec smollm2;
    try (MlxModelRuntime runtime = MlxModelRuntime.open(ModelCatalog.ofUser(), ONE_FITS);
        DiskCacheStore store = DiskCacheStore.open(caches)) {
      SwapWatch watch = new SwapWatch(runtime.memory());
      try (ModelRegistry registry =
          ModelRegistry.builder(runtime)
              .caches(store)
              .budget(ONE_FITS)
              .cacheBytes(POOL)
              .listener(watch)
              .build()) {
        registry.load(SMOLLM2);
        int[] more = talk(registry, LEAVES);
        talk(registry, STAYS);
        GenerationResult before = ask(registry, STAYS, more);
        for (ModelId next : way) {
          rows.add(swap(runtime, registry, watch, next, cold));
        }
        GenerationResult after = ask(registry, LEAVES, more);
        System.out.printf(
            "%nThe agent is back: %d of %d tokens cached, the same %d tokens: %s%n",
            after.cachedTokens(),
            after.promptTokens(),
            after.tokens().size(),
            after.tokens().equals(before.tokens()));
        smollm2 = registry.current().orElseThrow();
      }
      KvSnapshot returned = store.load(LEAVES, smollm2.tag()).orElseThrow();
      KvSnapshot stayed = store.load(STAYS, smollm2.tag()).orElseThrow();
      System.out.printf(
          "Its cache is that of the agent who did not leave, bit for bit: %s (%s)%n",
          returned.layers().equals(stayed.layers()), new ByteSize(returned.bytes()));
    }
    delete(caches);
  }

  private SwapRow swap(
      MlxModelRuntime runtime, ModelRegistry registry, SwapWatch watch, ModelId next, boolean cold)
      throws Exception {
    MemoryForecast forecast = runtime.forecast(next, 1, 1);
    for (ModelDisk other : disks.values()) {
      other.evict(); // or the large ones would not fit into the page cache together
    }
    ModelDisk disk = Objects.requireNonNull(disks.get(next));
    disk.readSequentially(); // the first time a virtual machine may have to get memory for it
    if (cold) {
      disk.evict();
    }
    Duration sequential = disk.readSequentially();
    if (cold) {
      disk.evict();
    }
    double cached = disk.cachedShare();
    runtime.memory().releaseCached();
    watch.begin();
    ByteSize before = ProcessMemory.now().resident();
    ByteSize larger =
        new ByteSize(
            Math.max(
                registry.current().orElseThrow().weightSize().bytes(), forecast.weights().bytes()));
    ProcessMemory.resetPeak();
    SwapReport report;
    MemoryPeak peak = MemoryPeak.watch();
    try (peak) {
      report = registry.swapWithRollback(next);
    }
    System.err.printf(
        "%s: %s, blackout %s, %s%n", next, report.total(), report.blackout(), report.phases());
    return new SwapRow(
        report,
        cold,
        cached,
        disk.bytes(),
        sequential,
        watch.warmUp(),
        watch.freed(),
        before,
        ProcessMemory.now(),
        peak,
        larger,
        POOL,
        forecast,
        watch.activeThen(),
        watch.raisedByToken());
  }

  private static int[] prompt() {
    return IntStream.range(0, 200).map(i -> 20 + i % 89).toArray();
  }

  /** Returns what is said next. */
  private static int[] talk(ModelRegistry registry, AgentId agent) {
    List<Integer> answer = ask(registry, agent, prompt()).tokens();
    IntStream said = IntStream.of(prompt());
    IntStream answered = answer.stream().mapToInt(Integer::intValue);
    IntStream more = IntStream.range(0, 10).map(i -> 300 + i);
    return IntStream.concat(IntStream.concat(said, answered), more).toArray();
  }

  private static GenerationResult ask(ModelRegistry registry, AgentId agent, int[] tokens) {
    return registry
        .generate(
            GenerationRequest.of(new Prompt.Tokens(tokens))
                .agent(agent)
                .ignoreEos(true)
                .maxTokens(ANSWER)
                .build())
        .await();
  }

  private static String seconds(long since) {
    return String.format(Locale.ROOT, "%.2f s", (System.nanoTime() - since) / 1e9);
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
