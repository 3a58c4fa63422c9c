package dev.semantic.mlx.load;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.checkpoint.Checkpoint;
import dev.semantic.mlx.checkpoint.Checkpoints;
import dev.semantic.mlx.checkpoint.TinyDirectory;
import dev.semantic.mlx.load.ComputePolicy.Device;
import dev.semantic.mlx.load.ComputePolicy.WeightFormat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which form a CPU computes a model in, by its numbers, its size and the budget. */
class ComputePolicyTest {
  private static final int WIDE = 110_080; // layers of 21 million numbers
  private static final int NARROW = 64;

  @TempDir Path directory;

  /** Of layers so wide, and four tokens. */
  private static TinyDirectory model(int width, String numbers, boolean quantised) {
    return model(width, 4, numbers, quantised);
  }

  private static TinyDirectory model(int width, int tokens, String numbers, boolean quantised) {
    TinyDirectory model =
        new TinyDirectory().with("intermediate_size", width).with("vocab_size", tokens);
    matrix(model, "model.embed_tokens", tokens, 64);
    matrix(model, "model.layers.0.mlp.gate_proj", width, 64);
    matrix(model, "model.layers.0.mlp.up_proj", width, 64);
    matrix(model, "model.layers.0.mlp.down_proj", 64, width);
    List<String> names = new ArrayList<>(model.tensors.keySet());
    for (String name : names) {
      TinyDirectory.Tensor tensor = Objects.requireNonNull(model.tensors.get(name));
      int[] shape = tensor.shape();
      boolean integers = tensor.dtype().equals("U32");
      boolean beside = name.endsWith(".scales") || name.endsWith(".biases");
      if (quantised) {
        model.tensor(name, integers ? "U32" : numbers, shape);
      } else if (beside) {
        model.without(name);
      } else {
        model.tensor(name, numbers, integers ? new int[] {shape[0], shape[1] * 8} : shape);
      }
    }
    return quantised ? model : model.without("quantization");
  }

  /** Of four bits in groups of 32. */
  private static void matrix(TinyDirectory model, String module, int out, int in) {
    model.tensor(module + ".weight", "U32", out, in / 8);
    model.tensor(module + ".scales", "F32", out, in / 32);
    model.tensor(module + ".biases", "F32", out, in / 32);
  }

  private ComputePolicy chosen(TinyDirectory model, String budget) throws IOException {
    return chosen(model, budget, Device.CPU);
  }

  private ComputePolicy chosen(TinyDirectory model, String budget, Device device)
      throws IOException {
    try (Checkpoint checkpoint = Checkpoints.open(model.writeHollow(directory))) {
      return ComputePolicy.choose(
          checkpoint, device, new MemoryBudget(ByteSize.parse(budget)), new ByteSize(0));
    }
  }

  /** What fits or not is another matter: nothing is faster than what lies there. */
  @ParameterizedTest(name = "{0} {1} quantised: {2}, in {3} as {4}, our kernels: {5}")
  @CsvSource({
    "110080, BF16, true, 64GiB, QUANTISED, true",
    "110080, BF16, true, 1MiB, QUANTISED, true",
    "110080, F32, true, 64GiB, QUANTISED, true",
    "110080, BF16, false, 64GiB, EXPANDED, false",
    "110080, BF16, false, 1MiB, HALF, false",
    "64, F32, true, 64GiB, QUANTISED, true",
    "64, BF16, true, 64GiB, NATIVE, false", // as the reference does
  })
  void withKernelsOfOurOwnQuantisedMatricesStayQuantised(
      int width,
      String numbers,
      boolean quantised,
      String budget,
      WeightFormat weightFormat,
      boolean kernels)
      throws IOException {
    ComputePolicy policy =
        chosen(model(width, numbers, quantised), budget, new Device(false, true));
    assertEquals(weightFormat, policy.weightFormat());
    assertEquals(kernels, policy.kernels());
  }

  @ParameterizedTest(name = "{0} quantised: {1}, in {2} as {3}")
  @CsvSource({
    "BF16, false, 256MiB, EXPANDED", // 81 MiB as float32
    "BF16, false, 60MiB, HALF", // 40 MiB as they are
    "BF16, false, 1MiB, HALF",
    "F32, false, 1MiB, EXPANDED",
    "BF16, true, 256MiB, EXPANDED",
    "BF16, true, 24MiB, QUANTISED", // 15 MiB
    "BF16, true, 1MiB, QUANTISED",
  })
  void theFastestFormThatFits(
      String numbers, boolean quantised, String budget, WeightFormat weightFormat)
      throws IOException {
    assertEquals(weightFormat, chosen(model(WIDE, numbers, quantised), budget).weightFormat());
  }

  @Test
  void aSmallModelOfSixteenBitsIsComputedAsTheReferenceDoes() throws IOException {
    for (String budget : List.of("64GiB", "1KiB")) {
      assertEquals(WeightFormat.NATIVE, chosen(model(NARROW, "BF16", true), budget).weightFormat());
      assertEquals(WeightFormat.NATIVE, chosen(model(NARROW, "F16", false), budget).weightFormat());
      assertEquals(
          budget.equals("1KiB") ? WeightFormat.QUANTISED : WeightFormat.EXPANDED,
          chosen(model(NARROW, "F32", true), budget).weightFormat());
    }
  }

  /** Beyond four million parameters it is the work of a token that counts. */
  @ParameterizedTest(name = "layers {0} wide, {1} tokens, {2} quantised: {3}, as {4}")
  @CsvSource({
    "64, 262144, BF16, true, NATIVE", // 17 million numbers of a table that is also the head
    "64, 140000, F16, true, NATIVE",
    "64, 262144, F16, true, EXPANDED", // 0.44 s for a token of an answer
    "64, 1000000, BF16, true, EXPANDED",
    "64, 1000000, BF16, false, NATIVE",
    "19200, 64, BF16, true, NATIVE", // 3.7 million numbers in the layers
    "28800, 64, BF16, true, EXPANDED",
    "28800, 64, BF16, false, NATIVE",
    "19200, 64, F16, true, NATIVE", // 0.1 s for a token of a prompt, but small
  })
  void aLargerOneIsWhileATokenTakesLittleWork(
      int width, int tokens, String numbers, boolean quantised, WeightFormat weightFormat)
      throws IOException {
    assertEquals(
        weightFormat, chosen(model(width, tokens, numbers, quantised), "64GiB").weightFormat());
  }

  /** An embedding is looked up; only a head is multiplied with. */
  @Test
  void whatIsLookedUpIsNoWork() throws IOException {
    TinyDirectory own = model(NARROW, 140_000, "F16", true).with("tie_word_embeddings", false);
    own.tensor("lm_head.weight", "U32", 140_000, 8);
    own.tensor("lm_head.scales", "F16", 140_000, 2);
    own.tensor("lm_head.biases", "F16", 140_000, 2);
    assertEquals(WeightFormat.NATIVE, chosen(own, "64GiB").weightFormat());
  }

  @Test
  void aFormIsCalledByWhatItDoes() throws IOException {
    try (Checkpoint plain = Checkpoints.open(model(NARROW, "BF16", false).write(directory))) {
      assertEquals("float32, bfloat16 activations", label(WeightFormat.EXPANDED, plain));
      assertEquals("bfloat16", label(WeightFormat.HALF, plain));
    }
    try (Checkpoint quantised = Checkpoints.open(model(NARROW, "F16", true).write(directory))) {
      assertEquals(
          "quantised, float32 scales, float16 activations",
          label(WeightFormat.QUANTISED, quantised));
      assertEquals("quantised, float16 scales", label(WeightFormat.NATIVE, quantised));
      assertEquals(
          "quantised, float32 scales, own CPU kernels, float16 activations",
          label(WeightFormat.QUANTISED, quantised, new Device(false, true)));
    }
  }

  private static String label(WeightFormat weightFormat, Checkpoint checkpoint) {
    return label(weightFormat, checkpoint, Device.CPU);
  }

  private static String label(WeightFormat weightFormat, Checkpoint checkpoint, Device device) {
    return ComputePolicy.of(weightFormat, checkpoint, device).label(checkpoint);
  }
}
