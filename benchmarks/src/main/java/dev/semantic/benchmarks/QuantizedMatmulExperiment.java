package dev.semantic.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import dev.semantic.mlx.array.CpuKernels;
import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.MlxSession;
import dev.semantic.mlx.array.Ops;
import dev.semantic.mlx.array.Scope;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * EXP-018: what the products of a token cost on a CPU. All 120 matrices of SmolLM2-135M's layers
 * (106 million numbers, too many for a cache) one after the other: expanded to float32, as models
 * are computed; in 4 bits with MLX's kernel; in 4 bits with our own. They take turns, and the
 * process' CPU time is what counts: neighbours disturb it less. Prints Markdown.
 *
 * <p>{@code OPENBLAS_NUM_THREADS=1 java -XX:ActiveProcessorCount=1 -cp
 * benchmarks/target/benchmarks.jar dev.semantic.benchmarks.QuantizedMatmulExperiment [rounds]}
 */
public final class QuantizedMatmulExperiment {
  private static final int LAYERS = 30;
  private static final int GROUP = 32;
  private static final int BITS = 4;
  private static final int[][] SHAPES = {{960, 576}, {576, 576}, {3072, 576}, {576, 1536}};
  private static final int[] ROWS = {1, 5, 16, 256};

  /** MLX's kernel takes minutes for more. */
  private static final int MOST_ROWS_FOR_MLX = 16;

  /** {@code [out, in]} in both forms. */
  private record Matrix(
      int in, MlxArray weights, MlxArray scales, MlxArray biases, MlxArray transposed) {}

  /** A product with one of them. */
  @FunctionalInterface
  private interface Product {
    MlxArray of(Scope s, MlxArray x, Matrix matrix);
  }

  private final List<Matrix> matrices = new ArrayList<>();
  private final int rounds;

  private QuantizedMatmulExperiment(int rounds) {
    this.rounds = rounds;
  }

  public static void main(String[] args) {
    int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 5;
    MlxSession session = MlxSession.open();
    System.out.printf(
        "%d processors, OPENBLAS_NUM_THREADS=%s, instructions %s, %d rounds%n%n",
        Runtime.getRuntime().availableProcessors(),
        System.getenv().getOrDefault("OPENBLAS_NUM_THREADS", "(not set)"),
        session.kernels().orElseThrow(() -> new IllegalStateException("There are no kernels here")),
        rounds);
    session
        .owner()
        .run(
            () -> {
              try (Scope s = session.scope("products")) {
                new QuantizedMatmulExperiment(rounds).run(s);
              }
            });
  }

  private void run(Scope s) {
    Random random = new Random(1);
    for (int[] shape : SHAPES) {
      int[] packed = random.ints((long) shape[0] * shape[1] * BITS / Integer.SIZE).toArray();
      float[] numbers = new float[shape[0] * shape[1] / GROUP];
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = random.nextFloat() / 100;
      }
      for (int layer = 0; layer < LAYERS; layer++) {
        matrices.add(matrix(s, shape[0], shape[1], packed, numbers));
      }
    }
    System.out.println("| vectors | | CPU, ms | vectors/s | GB/s of weights |");
    System.out.println("|--:|---|--:|--:|--:|");
    for (int rows : ROWS) {
      compare(s, rows);
    }
  }

  private static Matrix matrix(Scope s, int out, int in, int[] packed, float[] numbers) {
    int width = in * BITS / Integer.SIZE;
    MlxArray weights = s.copyOf(MemorySegment.ofArray(packed), DType.UINT32, out, width);
    MlxArray scales = s.floats(numbers, out, in / GROUP);
    MlxArray biases = s.floats(numbers, out, in / GROUP);
    MlxArray dense = Ops.dequantize(s, weights, scales, biases, GROUP, BITS);
    MlxArray transposed = Ops.transpose(s, dense, 1, 0);
    s.eval(transposed);
    return new Matrix(in, weights, scales, biases, transposed);
  }

  private void compare(Scope s, int rows) {
    Map<String, Product> products = new LinkedHashMap<>();
    products.put("float32, OpenBLAS", (g, x, m) -> Ops.linear(g, x, m.transposed()));
    if (rows <= MOST_ROWS_FOR_MLX) {
      products.put(
          "4 bits, MLX",
          (g, x, m) -> Ops.quantizedMatmul(g, x, m.weights(), m.scales(), m.biases(), GROUP, BITS));
    }
    products.put(
        "4 bits, our own",
        (g, x, m) ->
            CpuKernels.quantizedMatmul(g, x, m.weights(), m.scales(), m.biases(), GROUP, BITS));
    Map<String, Double> nanos = new LinkedHashMap<>();
    int passes = Math.max(1, 20 / rows);
    for (int round = 0; round <= rounds; round++) {
      for (Map.Entry<String, Product> each : products.entrySet()) {
        double taken = cpuNanos(s, rows, passes, each.getValue());
        if (round > 0) { // the first one warms up
          nanos.merge(each.getKey(), taken / rounds, Double::sum);
        }
      }
    }
    nanos.forEach((what, taken) -> print(rows, what, taken));
  }

  private double cpuNanos(Scope s, int rows, int passes, Product product) {
    var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long began = system.getProcessCpuTime();
    for (int pass = 0; pass < passes; pass++) {
      for (Matrix matrix : matrices) {
        try (Scope graph = s.child("product")) {
          float[] x = new float[rows * matrix.in()];
          for (int i = 0; i < x.length; i++) {
            x[i] = i % 7 - 3;
          }
          graph.eval(product.of(graph, graph.floats(x, rows, matrix.in()), matrix));
        }
      }
    }
    return (double) (system.getProcessCpuTime() - began) / passes;
  }

  private void print(int rows, String what, double nanos) {
    long numbers = matrices.stream().mapToLong(m -> m.transposed().size()).sum();
    double perNumber = what.startsWith("float32") ? 4 : BITS / 8.0 + 8.0 / GROUP;
    System.out.printf(
        "| %d | %s | %.1f | %.0f | %.1f |%n",
        rows, what, nanos / 1e6, rows * 1e9 / nanos, numbers * perNumber / nanos);
  }
}
