package dev.semantic.benchmarks;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.semantic.mlx.array.Elementwise;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.MlxSession;
import dev.semantic.mlx.array.Scope;
import dev.semantic.mlx.capi.ArithmeticCalls;
import dev.semantic.mlx.capi.ArrayCalls;
import dev.semantic.mlx.capi.RuntimeCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a call into MLX costs; {@code src/main/c/call.c} makes the same calls from C. The loops run
 * on MLX's own thread, so that the way there is not measured, but by {@link #wayToTheThread}.
 */
@State(org.openjdk.jmh.annotations.Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@SuppressWarnings("NullAway.Init") // JMH calls the set-up methods before anything else
public class CallBenchmark {
  private static final int CALLS = 100_000;

  private final Arena arena = Arena.ofShared();
  private final MemorySegment result = arena.allocate(JAVA_LONG);
  private MlxSession session;
  private Scope scope;
  private MlxArray one;
  private MlxArray two;
  private long first;
  private long second;
  private long stream;

  @Setup
  public void open() {
    session = MlxSession.open();
    session.owner().run(this::prepare);
  }

  private void prepare() {
    scope = session.scope("benchmark");
    one = scope.scalar(1);
    two = scope.scalar(2);
    first = ArrayCalls.newFloat32(1);
    second = ArrayCalls.newFloat32(2);
    stream = RuntimeCalls.defaultCpuStreamNew();
  }

  @TearDown
  public void close() {
    session
        .owner()
        .run(
            () -> {
              scope.close();
              ArrayCalls.free(first);
              ArrayCalls.free(second);
            });
    arena.close();
  }

  /** The cheapest call there is: as good as nothing but the way there and back. */
  @Benchmark
  @OperationsPerInvocation(CALLS)
  public long ndim() {
    return session
        .owner()
        .call(
            () -> {
              long sum = 0;
              for (int i = 0; i < CALLS; i++) {
                sum += ArrayCalls.ndim(first);
              }
              return sum;
            });
  }

  /** One node added to a graph and freed: two calls. */
  @Benchmark
  @OperationsPerInvocation(CALLS)
  public void addAndFree() {
    session
        .owner()
        .run(
            () -> {
              for (int i = 0; i < CALLS; i++) {
                result.set(JAVA_LONG, 0, 0);
                ArithmeticCalls.add(result, first, second, stream);
                ArrayCalls.free(result.get(JAVA_LONG, 0));
              }
            });
  }

  /** The same as models do it: a checked array in a scope. */
  @Benchmark
  @OperationsPerInvocation(CALLS)
  public void addAndReleaseInScope() {
    session
        .owner()
        .run(
            () -> {
              for (int i = 0; i < CALLS; i++) {
                scope.release(Elementwise.add(scope, one, two));
              }
            });
  }

  /** From another thread to MLX's and back. */
  @Benchmark
  public int wayToTheThread() {
    return session.owner().call(() -> 1);
  }
}
