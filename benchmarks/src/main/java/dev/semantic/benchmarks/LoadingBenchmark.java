package dev.semantic.benchmarks;

import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.model.ModelId;
import dev.semantic.spi.LoadPriority;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;

/**
 * What a load costs whoever is served meanwhile: tokens per second of one sequence undisturbed, and
 * while the other model is loaded in the background; and how long loads take with the machine to
 * themselves. Undisturbed and disturbed stretches take turns, so that the ratio is one of the same
 * minutes.
 *
 * <p>{@code java -cp benchmarks/target/benchmarks.jar dev.semantic.benchmarks.LoadingBenchmark
 * [rounds]}
 */
public final class LoadingBenchmark {
  private static final ModelId SMOLLM2 = new ModelId("smollm2-135m-instruct");
  private static final ModelId GEMMA3 = new ModelId("gemma-3-270m");
  private static final int STRETCH = 100; // tokens
  private static final int LONGEST = 1024; // then a new sequence

  /** One stretch of decoding. */
  private record Pace(int tokens, long nanos, long longest) {
    double perSecond() {
      return tokens * 1e9 / nanos;
    }

    double longestMillis() {
      return longest / 1e6;
    }
  }

  private LoadingBenchmark() {}

  public static void main(String[] args) {
    int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 3;
    try (MlxModelRuntime runtime = MlxModelRuntime.open();
        PreparedModel smollm2 = runtime.prepare(SMOLLM2);
        PreparedModel gemma3 = runtime.prepare(GEMMA3)) {
      for (int round = 0; round < rounds; round++) {
        alone(runtime, smollm2);
        alone(runtime, gemma3);
      }
      for (int round = 0; round < rounds; round++) {
        whileServing(runtime, smollm2, gemma3);
        whileServing(runtime, gemma3, smollm2);
      }
    }
  }

  private static void alone(MlxModelRuntime runtime, PreparedModel model) {
    long start = System.nanoTime();
    model.load(LoadProgress.NONE).close();
    System.out.printf(
        Locale.ROOT,
        "%s alone: loaded in %.0f ms%n",
        model.spec().id(),
        (System.nanoTime() - start) / 1e6);
    runtime.memory().releaseCached();
  }

  private static void whileServing(
      MlxModelRuntime runtime, PreparedModel serving, PreparedModel other) {
    try (LoadedModel model = serving.load(LoadProgress.NONE)) {
      decode(model, tokens -> tokens < STRETCH);
      Pace before = decode(model, tokens -> tokens < STRETCH);
      List<Long> took = new ArrayList<>();
      CompletableFuture<Void> load = CompletableFuture.runAsync(() -> loadBehind(other, took));
      Pace meanwhile = decode(model, tokens -> !load.isDone());
      load.join();
      Pace after = decode(model, tokens -> tokens < STRETCH);
      double undisturbed = (before.perSecond() + after.perSecond()) / 2;
      System.out.printf(
          Locale.ROOT,
          "%s decodes %.1f and %.1f tokens/s; %.1f (%.0f %%) over the %.1f s that %s took to"
              + " load; longest step %.0f, then %.0f ms%n",
          serving.spec().id(),
          before.perSecond(),
          after.perSecond(),
          meanwhile.perSecond(),
          100 * meanwhile.perSecond() / undisturbed,
          took.getFirst() / 1e9,
          other.spec().id(),
          before.longestMillis(),
          meanwhile.longestMillis());
    }
    runtime.memory().releaseCached();
  }

  private static void loadBehind(PreparedModel other, List<Long> took) {
    long start = System.nanoTime();
    LoadedModel loaded = other.load(new Behind());
    took.add(System.nanoTime() - start);
    loaded.close();
  }

  /** Whether to go on, by the number of tokens so far. */
  private interface More {
    boolean after(int tokens);
  }

  private static Pace decode(LoadedModel model, More more) {
    long start = System.nanoTime();
    long longest = 0;
    int tokens = 0;
    while (more.after(tokens)) {
      try (Sequence sequence = model.open()) {
        int next = 11;
        for (int i = 0; i < LONGEST && more.after(tokens); i++, tokens++) {
          long step = System.nanoTime();
          next = argmax(model.forward(List.of(new Chunk(sequence, new int[] {next}, true))));
          longest = Math.max(longest, System.nanoTime() - step);
        }
      }
    }
    return new Pace(tokens, System.nanoTime() - start, longest);
  }

  private static int argmax(List<float[]> batch) {
    float[] logits = batch.getFirst();
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      if (logits[i] > logits[best]) {
        best = i;
      }
    }
    return best;
  }

  /** Somebody else is served meanwhile. */
  private static final class Behind implements LoadProgress {
    @Override
    public void update(long doneBytes, long totalBytes) {}

    @Override
    public LoadPriority priority() {
      return LoadPriority.BACKGROUND;
    }
  }
}
