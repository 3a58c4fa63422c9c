package dev.semantic.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.kv.KvSnapshot.LayerKv;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.model.KvLayout;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * EXP-014: what a step of decoding costs with one, five and sixteen agents behind pasts of several
 * lengths, and what sharing a beginning costs. What is compared takes turns, round by round. Prints
 * Markdown: time on the clock, and the process' CPU time, which neighbours disturb less.
 *
 * <p>{@code java -cp benchmarks/target/benchmarks.jar
 * dev.semantic.benchmarks.BatchedDecodeExperiment [rounds] [models..]}
 */
public final class BatchedDecodeExperiment {
  private static final int[] LENGTHS = {64, 512, 2048};
  private static final int[] AGENTS = {1, 5, 16};
  private static final int STEPS = 5;
  private static final int LONG = 2048;
  private static final int CHUNK = 256;
  private static final int LEVELS = 16;

  private final LoadedModel model;
  private final int rounds;

  private BatchedDecodeExperiment(LoadedModel model, int rounds) {
    this.model = model;
    this.rounds = rounds;
  }

  public static void main(String[] args) {
    int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 5;
    List<String> models =
        args.length > 1
            ? List.of(args).subList(1, args.length)
            : List.of("smollm2-135m-instruct", "gemma-3-270m");
    System.out.printf(
        "%d processors, OPENBLAS_NUM_THREADS=%s, %d rounds of %d steps%n",
        Runtime.getRuntime().availableProcessors(),
        System.getenv().getOrDefault("OPENBLAS_NUM_THREADS", "(not set)"),
        rounds,
        STEPS);
    try (MlxModelRuntime runtime = MlxModelRuntime.open()) {
      for (String name : models) {
        try (PreparedModel prepared = runtime.prepare(new ModelId(name));
            LoadedModel model = prepared.load(LoadProgress.NONE)) {
          new BatchedDecodeExperiment(model, rounds).run(name);
        }
      }
    }
  }

  private void run(String name) {
    for (int length : LENGTHS) {
      agents("%s, %d tokens each".formatted(name, length), length);
    }
    sharing(name + ", a beginning of " + (LONG - CHUNK) + " tokens that is shared");
    prompts("%s, a chunk of %d tokens behind %d".formatted(name, CHUNK, LONG));
    copies(name);
  }

  private void agents(String title, int length) {
    int most = AGENTS[AGENTS.length - 1];
    List<Sequence> all = IntStream.range(0, most).mapToObj(i -> past(length, i)).toList();
    Map<String, List<Sequence>> batches = new LinkedHashMap<>();
    for (int count : AGENTS) {
      batches.put(count + " agents", all.subList(0, count));
    }
    decode(title, batches);
    all.forEach(Sequence::close);
  }

  /** The same agents with pasts of their own, sharing most of them, and at the end of a chain. */
  private void sharing(String title) {
    int five = 5;
    Sequence donor = past(LONG - CHUNK, 0);
    List<Sequence> own = new ArrayList<>();
    List<Sequence> shared = new ArrayList<>();
    for (int i = 0; i < five; i++) {
      own.add(past(LONG, i));
      shared.add(tell(donor.fork(donor.length()).orElseThrow(), CHUNK));
    }
    List<Sequence> chain = new ArrayList<>(List.of(past(LONG / LEVELS, 0)));
    for (int level = 1; level < LEVELS; level++) {
      Sequence last = chain.getLast();
      chain.add(tell(last.fork(last.length()).orElseThrow(), LONG / LEVELS));
    }
    Map<String, List<Sequence>> batches = new LinkedHashMap<>();
    batches.put("1 agent, its own", own.subList(0, 1));
    batches.put("1 agent, shared", shared.subList(0, 1));
    batches.put("1 agent, " + LEVELS + " forks deep", List.of(chain.getLast()));
    batches.put("5 agents, their own", own);
    batches.put("5 agents, shared", shared);
    decode(title, batches);
    List.of(List.of(donor), own, shared, chain).forEach(each -> each.forEach(Sequence::close));
  }

  private void prompts(String title) {
    Times own = new Times("its own", 0);
    Times shared = new Times("shared", 0);
    for (int round = 0; round <= rounds; round++) {
      Sequence donor = past(LONG, 0);
      Sequence alone = past(LONG, 0);
      Sequence fork = donor.fork(LONG).orElseThrow();
      own.note(round, () -> tell(alone, CHUNK));
      shared.note(round, () -> tell(fork, CHUNK));
      List.of(donor, alone, fork).forEach(Sequence::close);
    }
    table(title, "a chunk", List.of(own, shared));
  }

  private void copies(String name) {
    Times own = new Times("its own", 0);
    Times shared = new Times("shared", 0);
    try (Sequence whole = past(2 * LONG, 0);
        Sequence donor = past(2 * LONG, 0);
        Sequence fork = donor.fork(2 * LONG).orElseThrow()) {
      for (int round = 0; round <= rounds; round++) {
        own.note(round, whole::snapshot);
        shared.note(round, fork::snapshot);
      }
      long megabytes = whole.snapshot().bytes() / 1_000_000;
      String title = "%s, %d tokens (%d MB) copied out".formatted(name, 2 * LONG, megabytes);
      table(title, "a copy", List.of(own, shared));
    }
  }

  private void decode(String title, Map<String, List<Sequence>> batches) {
    Map<Times, List<Sequence>> measured = new LinkedHashMap<>();
    batches.forEach((what, batch) -> measured.put(new Times(what, batch.size()), batch));
    for (int round = 0; round <= rounds; round++) {
      for (Map.Entry<Times, List<Sequence>> each : measured.entrySet()) {
        for (int step = 0; step < STEPS; step++) {
          int at = step;
          each.getKey().note(round, () -> step(each.getValue(), at));
        }
      }
    }
    table(title, "a step", List.copyOf(measured.keySet()));
  }

  /** How long something took, each time; round 0 is for warming up. */
  private static final class Times {
    private final String what;
    private final int agents;
    private final List<Double> clock = new ArrayList<>();
    private final List<Double> cpu = new ArrayList<>();

    Times(String what, int agents) {
      this.what = what;
      this.agents = agents;
    }

    void note(int round, Runnable work) {
      long cpuBefore = cpuNanos();
      long before = System.nanoTime();
      work.run();
      if (round > 0) {
        clock.add((System.nanoTime() - before) / 1e6);
        cpu.add((cpuNanos() - cpuBefore) / 1e6);
      }
    }

    void print() {
      double[] times = clock.stream().mapToDouble(Double::doubleValue).sorted().toArray();
      double[] work = cpu.stream().mapToDouble(Double::doubleValue).sorted().toArray();
      double median = times[times.length / 2];
      System.out.printf(
          Locale.ROOT,
          "| %s | %.1f ms | %.1f ms | %.0f ms | %.0f ms | %s |%n",
          what,
          times[0],
          median,
          Arrays.stream(work).average().orElseThrow(),
          work[work.length / 2],
          agents == 0 ? "" : "%.1f".formatted(agents * 1000 / median));
    }
  }

  private void step(List<Sequence> batch, int step) {
    model.forward(
        IntStream.range(0, batch.size())
            .mapToObj(i -> new Chunk(batch.get(i), new int[] {50 + 7 * step + i}, true))
            .toList());
  }

  private Sequence tell(Sequence sequence, int tokens) {
    int[] chunk = IntStream.range(0, tokens).map(i -> 20 + i * 37 % 900).toArray();
    model.forward(List.of(new Chunk(sequence, chunk, false)));
    return sequence;
  }

  /** As long as asked for, of numbers that nobody computed: to attend to them takes as long. */
  private Sequence past(int length, int seed) {
    ModelSpec spec = model.spec();
    List<LayerKv> layers = new ArrayList<>();
    Random random = new Random(seed);
    for (KvLayout.Layer layer : spec.kvLayout().layers()) {
      int held = layer.held(length);
      int bytes = layer.kvHeads() * held * layer.headDim() * spec.kvPrecision().bytes();
      layers.add(new LayerKv(length - held, held, noise(random, bytes), noise(random, bytes)));
    }
    int[] tokens = IntStream.range(0, length).map(i -> 20 + i * 37 % 900).toArray();
    return model.restore(
        new KvSnapshot(spec.tag(), spec.kvLayout(), spec.kvPrecision(), tokens, layers));
  }

  private static ByteBuffer noise(Random random, int bytes) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
    float[] few = new float[1021];
    for (int i = 0; i < few.length; i++) {
      few[i] = (float) random.nextGaussian();
    }
    for (int i = 0; buffer.hasRemaining(); i++) {
      buffer.putFloat(few[i % few.length]);
    }
    return buffer.flip();
  }

  private static long cpuNanos() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  private static void table(String title, String what, List<Times> rows) {
    System.out.printf(
        "%n%s%n| | %s, least | median | CPU, mean | median | tokens per second |%n"
            + "|---|--:|--:|--:|--:|--:|%n",
        title, what);
    rows.forEach(Times::print);
  }
}
