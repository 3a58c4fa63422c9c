package dev.semantic.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.model.ModelId;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * EXP-018: what a step of an answer and a prompt cost with the kernels that this JVM was started
 * with. Prints a line of Markdown for each: the median on the clock, and the mean of the process'
 * CPU time, which neighbours disturb less. Run it in turns with and without {@code
 * -Dsemantic.kernels=on}.
 *
 * <p>{@code java -cp benchmarks/target/benchmarks.jar dev.semantic.benchmarks.KernelsExperiment
 * [rounds] [models..]}
 */
public final class KernelsExperiment {
  private static final int[] AGENTS = {1, 5, 16};
  private static final int PAST = 64;
  private static final int PROMPT = 256;

  private final LoadedModel model;
  private final int rounds;

  private KernelsExperiment(LoadedModel model, int rounds) {
    this.model = model;
    this.rounds = rounds;
  }

  public static void main(String[] args) {
    int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 20;
    List<String> models =
        args.length > 1
            ? List.of(args).subList(1, args.length)
            : List.of("smollm2-135m-instruct", "gemma-3-270m");
    try (MlxModelRuntime runtime = MlxModelRuntime.open()) {
      for (String name : models) {
        try (PreparedModel prepared = runtime.prepare(new ModelId(name));
            LoadedModel model = prepared.load(LoadProgress.NONE)) {
          System.out.printf("%n%s, %s%n%n", name, model.spec().compute());
          System.out.println("| | clock, ms | CPU, ms | tokens/s of CPU time |");
          System.out.println("|---|--:|--:|--:|");
          new KernelsExperiment(model, rounds).run();
        }
      }
    }
  }

  private void run() {
    for (int agents : AGENTS) {
      List<Sequence> all = new ArrayList<>();
      for (int i = 0; i < agents; i++) {
        all.add(model.open());
        tell(all.get(i), PAST);
      }
      print("a step of " + agents, agents, () -> step(all));
      all.forEach(Sequence::close);
    }
    print(
        "a prompt of " + PROMPT,
        PROMPT,
        () -> {
          try (Sequence sequence = model.open()) {
            tell(sequence, PROMPT);
          }
        });
  }

  private void step(List<Sequence> all) {
    model.forward(all.stream().map(each -> new Chunk(each, new int[] {7}, true)).toList());
  }

  private void tell(Sequence sequence, int count) {
    int[] tokens = new int[count];
    for (int i = 0; i < count; i++) {
      tokens[i] = 100 + 37 * i % 4000;
    }
    model.forward(List.of(new Chunk(sequence, tokens, true)));
  }

  private void print(String what, int tokens, Runnable work) {
    var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    double[] clock = new double[rounds];
    work.run(); // warm
    long beganCpu = system.getProcessCpuTime();
    for (int round = 0; round < rounds; round++) {
      long began = System.nanoTime();
      work.run();
      clock[round] = (System.nanoTime() - began) / 1e6;
    }
    double cpu = (system.getProcessCpuTime() - beganCpu) / 1e6 / rounds;
    Arrays.sort(clock);
    System.out.printf(
        "| %s | %.1f | %.1f | %.0f |%n", what, clock[rounds / 2], cpu, tokens * 1e3 / cpu);
  }
}
