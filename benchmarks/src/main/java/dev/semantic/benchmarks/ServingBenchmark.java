package dev.semantic.benchmarks;

import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.model.ModelId;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Tokens per second: prefill of 256, decode of one agent, decode of five in one batch. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 5, time = 2)
@SuppressWarnings("NullAway.Init") // JMH calls the set-up methods before anything else
public class ServingBenchmark {
  private static final int PROMPT = 256;
  private static final int AGENTS = 5;

  @Param({"smollm2-135m-instruct", "gemma-3-270m"})
  public String model = "";

  private MlxModelRuntime runtime;
  private PreparedModel prepared;
  private LoadedModel loaded;
  private final int[] prompt = IntStream.range(0, PROMPT).map(i -> 10 + i % 97).toArray();
  private final List<Sequence> agents = new ArrayList<>();
  private int[] last = new int[AGENTS];

  @Setup(Level.Trial)
  public void load() {
    runtime = MlxModelRuntime.open();
    prepared = runtime.prepare(new ModelId(model));
    loaded = prepared.load(LoadProgress.NONE);
  }

  @Setup(Level.Iteration)
  public void begin() {
    for (int i = 0; i < AGENTS; i++) {
      Sequence agent = loaded.open();
      loaded.forward(List.of(new Chunk(agent, new int[] {7, 8, 9, 10 + i}, false)));
      agents.add(agent);
    }
    last = new int[AGENTS];
    Arrays.fill(last, 11);
  }

  @TearDown(Level.Iteration)
  public void end() {
    agents.forEach(Sequence::close);
    agents.clear();
  }

  @TearDown(Level.Trial)
  public void unload() {
    loaded.close();
    prepared.close();
    runtime.close();
  }

  @Benchmark
  @OperationsPerInvocation(PROMPT)
  public float[] prefill() {
    try (Sequence sequence = loaded.open()) {
      return loaded.forward(List.of(new Chunk(sequence, prompt, true))).getFirst();
    }
  }

  @Benchmark
  public int decode() {
    return step(1);
  }

  @Benchmark
  @OperationsPerInvocation(AGENTS)
  public int decodeFiveAgents() {
    return step(AGENTS);
  }

  private int step(int count) {
    List<Chunk> batch = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      batch.add(new Chunk(agents.get(i), new int[] {last[i]}, true));
    }
    List<float[]> logits = loaded.forward(batch);
    for (int i = 0; i < count; i++) {
      last[i] = argmax(logits.get(i));
    }
    return last[0];
  }

  private static int argmax(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      if (logits[i] > logits[best]) {
        best = i;
      }
    }
    return best;
  }
}
