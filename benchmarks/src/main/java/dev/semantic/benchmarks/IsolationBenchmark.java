package dev.semantic.benchmarks;

import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.isolated.IsolatedRuntime;
import dev.semantic.model.ModelId;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What a process of its own costs a decode step. The same model is loaded in this process and in
 * another one, and they take turns, step by step: what is looked for is smaller than the difference
 * between two forks, or two minutes, of a machine. Prints medians, and the median of the
 * differences of neighbouring steps.
 *
 * <p>{@code java -cp benchmarks/target/benchmarks.jar dev.semantic.benchmarks.IsolationBenchmark
 * [steps] [model]}
 */
public final class IsolationBenchmark {
  private static final int WARM_UP = 60;
  private static final int LONGEST = 256; // then new sequences

  /** One side: a model and what it said last. */
  private static final class Side implements AutoCloseable {
    private final ModelRuntime runtime;
    private final PreparedModel prepared;
    private final LoadedModel model;
    private Sequence sequence;
    private int last = 11;

    private Side(ModelRuntime runtime, ModelId id) {
      this.runtime = runtime;
      long start = System.nanoTime();
      prepared = runtime.prepare(id);
      long loading = System.nanoTime();
      model = prepared.load(LoadProgress.NONE);
      System.out.printf(
          Locale.ROOT,
          "%s: prepared in %.0f ms, loaded in %.0f ms%n",
          runtime.getClass().getSimpleName(),
          (loading - start) / 1e6,
          (System.nanoTime() - loading) / 1e6);
      sequence = model.open();
    }

    /** Nanoseconds of one token. */
    private long step() {
      long start = System.nanoTime();
      List<Chunk> batch = List.of(new Chunk(sequence, new int[] {last}, true));
      last = argmax(model.forward(batch).getFirst());
      return System.nanoTime() - start;
    }

    /** Nanoseconds of a question that needs no computation. */
    private long question() {
      long start = System.nanoTime();
      if (sequence.bytes() < 0) {
        throw new AssertionError("less than nothing");
      }
      return System.nanoTime() - start;
    }

    private void startOver() {
      sequence.close();
      sequence = model.open();
      last = 11;
    }

    @Override
    public void close() {
      sequence.close();
      model.close();
      prepared.close();
      runtime.close();
    }
  }

  private IsolationBenchmark() {}

  public static void main(String[] args) {
    int steps = args.length > 0 ? Integer.parseInt(args[0]) : 400;
    ModelId id = new ModelId(args.length > 1 ? args[1] : "smollm2-135m-instruct");
    try (Side here = new Side(MlxModelRuntime.open(), id);
        Side there = new Side(IsolatedRuntime.open(), id)) {
      measure(here, there, WARM_UP);
      tell(measure(here, there, steps));
      long[] questions = new long[steps];
      Arrays.setAll(questions, i -> there.question());
      System.out.printf(
          Locale.ROOT, "a question and its answer: %.3f ms%n", median(questions) / 1e6);
    }
  }

  private record Steps(long[] here, long[] there) {}

  private static Steps measure(Side here, Side there, int count) {
    Steps steps = new Steps(new long[count], new long[count]);
    for (int i = 0; i < count; i++) {
      if (i % LONGEST == 0) {
        here.startOver();
        there.startOver();
      }
      if (i % 2 == 0) { // whoever comes second finds another machine
        steps.here[i] = here.step();
        steps.there[i] = there.step();
      } else {
        steps.there[i] = there.step();
        steps.here[i] = here.step();
      }
      if (here.last != there.last) {
        throw new AssertionError("they do not say the same");
      }
    }
    return steps;
  }

  private static void tell(Steps steps) {
    long[] more = new long[steps.here.length];
    Arrays.setAll(more, i -> steps.there[i] - steps.here[i]);
    double here = median(steps.here);
    System.out.printf(
        Locale.ROOT,
        "in this process %.2f ms, in another %.2f ms (ratio %.3f); the median step takes %.2f ms"
            + " more (%.1f %%)%n",
        here / 1e6,
        median(steps.there) / 1e6,
        median(steps.there) / here,
        median(more) / 1e6,
        100 * median(more) / here);
  }

  private static double median(long[] values) {
    long[] sorted = values.clone();
    Arrays.sort(sorted);
    return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2.0;
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
