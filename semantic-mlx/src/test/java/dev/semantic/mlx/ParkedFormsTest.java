package dev.semantic.mlx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.GenerationResult;
import dev.semantic.kv.KvEncoding;
import dev.semantic.mlx.architecture.Architecture;
import dev.semantic.mlx.architecture.HostsOwn;
import dev.semantic.mlx.load.ComputePolicy;
import dev.semantic.mlx.testing.RandomGguf;
import dev.semantic.mlx.testing.RecastModel;
import dev.semantic.mlx.testing.RecastModel.Form;
import dev.semantic.mlx.testing.RequiresNatives;
import dev.semantic.mlx.testing.TinyModels;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.PreparedModel;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.store.MemoryCacheStore;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapReport;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whoever was parked and brought back, with another model in between, goes on as if nothing had
 * happened: for every architecture and in every form of its weights, by all logits.
 */
@RequiresNatives
class ParkedFormsTest {
  /** Behind the end of windows of 8, and behind the edge of buffers and blocks. */
  private static final List<Integer> LENGTHS = List.of(21, 300);

  /** Before and behind the end of windows: what is long takes long where matrices are quantised. */
  private static final List<Integer> SHORT = List.of(3, 21);

  /** In how many tokens each conversation goes on. */
  private static final int MORE = 3;

  /** One small model of each architecture. */
  private static final Map<String, String> MODELS =
      Map.of(
          "llama", "tiny-llama-sliding-f32",
          "mistral", "tiny-mistral-q3",
          "qwen2", "tiny-qwen2-yarn-f32",
          "qwen3", "tiny-qwen3-bf16",
          "gemma2", "tiny-gemma2-bf16",
          "gemma3_text", "tiny-gemma3-f32",
          "gemma3", "tiny-gemma3-vlm-q4",
          "phi3", "tiny-phi3-long-f32");

  @TempDir private Path directory;
  private int runs;

  static Stream<String> architectures() {
    return MODELS.keySet().stream().sorted();
  }

  @Test
  void noArchitectureIsLeftOut() {
    TreeSet<String> known = new TreeSet<>(Architecture.knownTypes());
    known.remove(HostsOwn.TYPE);
    assertEquals(known, new TreeSet<>(MODELS.keySet()));
  }

  @ParameterizedTest
  @MethodSource("architectures")
  void inEveryForm(String architecture) {
    Path model = TinyModels.of(MODELS.get(architecture));
    for (Form form : Form.values()) {
      Path recast = RecastModel.write(model, form, directory.resolve(form.name()));
      boolean kept = form.quantised();
      ModelSpec spec =
          goesOnExactly(
              recast,
              kept ? ComputePolicy.WeightFormat.QUANTISED : ComputePolicy.WeightFormat.EXPANDED,
              kept ? SHORT : LENGTHS);
      assertEquals(architecture, spec.architecture());
      assertEquals(precision(form), spec.kvPrecision());
      if (kept) {
        try (MlxModelRuntime runtime = MlxModelRuntime.open(ComputePolicy.WeightFormat.EXPANDED);
            PreparedModel expanded = runtime.prepare(spec.id())) {
          assertTrue(spec.weightSize().compareTo(expanded.spec().weightSize()) < 0, "not kept so");
          assertNotEquals(expanded.spec().tag(), spec.tag());
        }
      }
      if (precision(form) != KvPrecision.FLOAT32) { // as a model that is so small is computed
        goesOnExactly(recast, ComputePolicy.WeightFormat.NATIVE, SHORT);
      }
    }
  }

  private static KvPrecision precision(Form form) {
    return switch (form) {
      case F32, Q4_F32 -> KvPrecision.FLOAT32;
      case F16 -> KvPrecision.FLOAT16;
      case BF16, Q4_BF16 -> KvPrecision.BFLOAT16;
    };
  }

  static Stream<Path> fixtures() {
    return TinyModels.all().stream()
        .filter(model -> TinyModels.json(model.resolve("config.json")).has("quantization"));
  }

  /** With 2 to 8 bits in groups of any size, mixed, in several files, whatever lies in between. */
  @ParameterizedTest
  @MethodSource("fixtures")
  void asOthersQuantisedThem(Path model) {
    goesOnExactly(model, ComputePolicy.WeightFormat.EXPANDED, SHORT);
    goesOnExactly(model, ComputePolicy.WeightFormat.QUANTISED, SHORT);
  }

  @Test
  void outOfGgufFiles() {
    goesOnExactly(
        RandomGguf.llama(3).write(directory, "llama", 3),
        ComputePolicy.WeightFormat.EXPANDED,
        LENGTHS);
    goesOnExactly(
        RandomGguf.gemma3(7, 8).write(directory, "gemma", 4),
        ComputePolicy.WeightFormat.EXPANDED,
        LENGTHS);
  }

  /** Close to what it would be without, and twice in the same way. */
  @ParameterizedTest
  @MethodSource("architectures")
  void inFewerBitsOnDisk(String architecture) {
    Path model = TinyModels.of(MODELS.get(architecture));
    Path recast = RecastModel.write(model, Form.F32, directory.resolve("model"));
    try (MlxModelRuntime runtime = MlxModelRuntime.open(ComputePolicy.WeightFormat.EXPANDED)) {
      List<float[]> exact = stayed(runtime, recast, LENGTHS).logits();
      for (KvEncoding encoding : List.of(KvEncoding.Q8, KvEncoding.Q4)) {
        List<float[]> one = returned(runtime, recast, LENGTHS, encoding, "one").logits();
        List<float[]> two = returned(runtime, recast, LENGTHS, encoding, "two").logits();
        assertSame(one, two, encoding + ", once more");
        for (int i = 0; i < exact.size(); i += MORE) { // then their tokens may part
          float off = distance(exact.get(i), one.get(i));
          float tolerance = encoding == KvEncoding.Q8 ? 0.02f : 0.3f;
          assertTrue(off > 0 && off < tolerance, encoding + " is off by " + off);
        }
      }
    }
  }

  private ModelSpec goesOnExactly(
      Path model, ComputePolicy.WeightFormat weightFormat, List<Integer> lengths) {
    try (MlxModelRuntime runtime = MlxModelRuntime.open(weightFormat)) {
      Talk stayed = stayed(runtime, model, lengths);
      Talk returned = returned(runtime, model, lengths, KvEncoding.EXACT, "caches");
      assertEquals(stayed.spec().tag(), returned.spec().tag());
      assertFalse(stayed.logits().isEmpty());
      assertSame(stayed.logits(), returned.logits(), model + ", " + weightFormat);
      return stayed.spec();
    }
  }

  /** What came of the second part of all conversations. */
  private record Talk(ModelSpec spec, List<float[]> logits) {}

  /** Nobody is parked. */
  private static Talk stayed(MlxModelRuntime runtime, Path model, List<Integer> lengths) {
    try (RecordedHost host = new RecordedHost(runtime, new MemoryCacheStore())) {
      host.registry.load(new ModelId(model.toString()));
      return secondPart(host, firstPart(host, lengths));
    }
  }

  /** Everybody is parked on disk, and another model serves before all come back. */
  private Talk returned(
      MlxModelRuntime runtime,
      Path model,
      List<Integer> lengths,
      KvEncoding encoding,
      String name) {
    ModelId id = new ModelId(model.toString());
    ModelId other = new ModelId(RandomGguf.llama(1).write(directory, "in-between", 9).toString());
    try (DiskCacheStore caches =
            DiskCacheStore.builder(directory.resolve(name + runs++)).encoding(encoding).open();
        RecordedHost host = new RecordedHost(runtime, caches)) {
      host.registry.load(id);
      List<int[]> talks = firstPart(host, lengths);
      SwapReport there = host.registry.swapWithRollback(other);
      assertEquals(lengths.size(), there.agentsParked());
      host.turn("somebody", RecordedHost.tokens(9, 9), 2);
      SwapReport back = host.registry.swapWithRollback(id);
      assertEquals(lengths.size(), back.agentsRestored());
      return secondPart(host, talks);
    } catch (ModelSwapException e) {
      throw new AssertionError(e);
    }
  }

  private static List<int[]> firstPart(RecordedHost host, List<Integer> lengths) {
    return lengths.stream()
        .map(length -> host.said("agent of " + length, RecordedHost.tokens(length, length), 2))
        .toList();
  }

  /** All that was said, a few tokens more, and what the model says then. */
  private static Talk secondPart(RecordedHost host, List<int[]> talks) {
    host.recorder.take();
    for (int[] talk : talks) {
      int[] more = Arrays.copyOf(talk, talk.length + 5);
      System.arraycopy(RecordedHost.tokens(5, 4), 0, more, talk.length, 5);
      GenerationResult result = host.turn("agent of " + (talk.length - 2), more, MORE);
      assertEquals(talk.length - 1, result.cachedTokens(), "its prompt was computed again");
    }
    return new Talk(host.registry.current().orElseThrow(), host.recorder.take());
  }

  private static void assertSame(List<float[]> expected, List<float[]> actual, String what) {
    assertEquals(expected.size(), actual.size(), what);
    for (int i = 0; i < expected.size(); i++) {
      // by their bits, in which even one NaN is not another
      assertTrue(Arrays.equals(bits(expected.get(i)), bits(actual.get(i))), what + ": logits " + i);
    }
  }

  private static int[] bits(float[] numbers) {
    int[] bits = new int[numbers.length];
    Arrays.setAll(bits, i -> Float.floatToRawIntBits(numbers[i]));
    return bits;
  }

  /** The largest difference of two logits, as a part of what all of them span. */
  private static float distance(float[] exact, float[] other) {
    float lowest = Float.POSITIVE_INFINITY;
    float highest = Float.NEGATIVE_INFINITY;
    float worst = 0;
    for (int i = 0; i < exact.length; i++) {
      lowest = Math.min(lowest, exact[i]);
      highest = Math.max(highest, exact[i]);
      worst = Math.max(worst, Math.abs(exact[i] - other[i]));
    }
    return worst / (highest - lowest);
  }
}
