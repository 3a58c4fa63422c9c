package dev.semantic.mlx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.array.CpuKernels;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.mlx.testing.RequiresModels;
import dev.semantic.mlx.testing.RequiresNatives;
import dev.semantic.mlx.testing.TinyModels;
import dev.semantic.model.ModelId;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is said of memory from headers alone is what is measured. */
class MemoryForecastTest {
  private static final int CHUNK = 512;

  static List<ModelId> tiny() {
    return TinyModels.all().stream().map(path -> new ModelId(path.toString())).toList();
  }

  @RequiresNatives
  @ParameterizedTest
  @MethodSource("tiny")
  void weightsAndCachesOfSmallModels(ModelId id) {
    for (long budget : new long[] {1, 1L << 36}) {
      check(id, new MemoryBudget(new ByteSize(budget)), 500, 2);
    }
  }

  /** MLX hands on what fills all of a buffer, and it may be part of something larger. */
  @RequiresNatives
  @ParameterizedTest
  @ValueSource(ints = {256, 512, 1024})
  void promptsThatFillTheirCaches(int context) {
    check(tiny().getFirst(), MemoryBudget.ofSystem(), context, 1);
  }

  @RequiresModels
  @ParameterizedTest
  @CsvSource({
    "smollm2-135m-instruct, 100",
    "smollm2-135m-instruct, 512",
    "smollm2-135m-instruct, 1536",
    "gemma-3-270m, 512",
    "gemma-3-270m, 1536"
  })
  void theWholeOfRealModels(String name, int context) {
    Measured measured = check(new ModelId(name), MemoryBudget.ofSystem(), context, 1);
    double said = measured.forecast().total().bytes();
    assertEquals(1, said / measured.peak(), 0.05, measured::toString);
  }

  /** With our own kernels: other results are in memory, and no scores. */
  @RequiresModels
  @ParameterizedTest
  @CsvSource({
    "smollm2-135m-instruct, 100",
    "smollm2-135m-instruct, 512",
    "smollm2-135m-instruct, 1536",
    "gemma-3-270m, 512",
    "gemma-3-270m, 1536"
  })
  void theWholeOfRealModelsByOwnKernels(String name, int context) {
    System.setProperty(CpuKernels.PROPERTY, "on");
    try {
      theWholeOfRealModels(name, context);
    } finally {
      System.clearProperty(CpuKernels.PROPERTY);
    }
  }

  /** A plan, info and models fits would disagree else. */
  @RequiresNatives
  @ParameterizedTest
  @MethodSource("tiny")
  void thereIsOneFormulaForWhatComputingTakes(ModelId id) {
    for (long budget : new long[] {1, 1L << 36}) {
      try (MlxModelRuntime runtime =
              MlxModelRuntime.open(ModelCatalog.ofUser(), new MemoryBudget(new ByteSize(budget)));
          PreparedModel prepared = runtime.prepare(id)) {
        MemoryForecast forecast = runtime.forecast(id, 4096, 0);
        assertEquals(forecast.working(), prepared.spec().workingSize());
        assertEquals(forecast.total(), runtime.footprint(Path.of(id.name())));
        assertEquals(forecast, runtime.forecast(id, 1 << 20, 0), "no sequence is longer");
      }
    }
  }

  @Test
  @RequiresNatives
  void whatCannotBeIsRefused() {
    try (MlxModelRuntime runtime = MlxModelRuntime.open()) {
      ModelId id = tiny().getFirst();
      assertThrows(IllegalArgumentException.class, () -> runtime.forecast(id, 0, 1));
      assertThrows(IllegalArgumentException.class, () -> runtime.forecast(id, 1, -1));
    }
  }

  private record Measured(MemoryForecast forecast, long peak) {}

  private static Measured check(ModelId id, MemoryBudget budget, int context, int agents) {
    try (MlxModelRuntime runtime = MlxModelRuntime.open(ModelCatalog.ofUser(), budget)) {
      runtime.memory().releaseCached();
      long before = runtime.memory().activeBytes();
      MemoryForecast forecast = runtime.forecast(id, context, agents);
      assertEquals(before, runtime.memory().activeBytes(), "a forecast takes no memory");
      try (PreparedModel prepared = runtime.prepare(id);
          LoadedModel model = prepared.load(LoadProgress.NONE)) {
        assertEquals(forecast.weights(), prepared.spec().weightSize());
        assertEquals(forecast.weights().bytes(), model.bytes());
        assertEquals(forecast.weights().bytes(), runtime.memory().activeBytes() - before);
        runtime.memory().resetPeak();
        List<Sequence> all = new ArrayList<>();
        for (int i = 0; i < agents; i++) {
          all.add(prefilled(model, context));
        }
        long caches = all.stream().mapToLong(Sequence::bytes).sum();
        assertEquals(forecast.caches().bytes(), caches, () -> id + " in " + context);
        long more = runtime.memory().activeBytes() - before - model.bytes();
        assertEquals(caches, more, () -> id + " holds more than caches behind " + context);
        long peak = runtime.memory().peakBytes() - before;
        all.forEach(Sequence::close);
        assertTrue(peak > forecast.weights().bytes() + caches);
        return new Measured(forecast, peak);
      }
    }
  }

  private static Sequence prefilled(LoadedModel model, int context) {
    int[] tokens = new int[context];
    Arrays.setAll(tokens, i -> 2 + i % 60);
    Sequence sequence = model.open();
    for (int at = 0; at < context; at += CHUNK) {
      int end = Math.min(context, at + CHUNK);
      int[] part = Arrays.copyOfRange(tokens, at, end);
      model.forward(List.of(new Chunk(sequence, part, end == context)));
    }
    return sequence;
  }
}
