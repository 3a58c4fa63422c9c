package dev.semantic.mlx.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.weights.ComputePolicy.Form;
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
  private static final int MANY = 70_000; // tokens: a table of 4.5 million numbers
  private static final int FEW = 4;

  @TempDir Path directory;

  private static TinyDirectory model(int tokens, String numbers, boolean quantised) {
    TinyDirectory model = new TinyDirectory().with("vocab_size", tokens);
    int columns = quantised ? 8 : 64;
    model.tensor("model.embed_tokens.weight", quantised ? "U32" : numbers, tokens, columns);
    model.tensor("model.embed_tokens.scales", numbers, tokens, 2);
    model.tensor("model.embed_tokens.biases", numbers, tokens, 2);
    List<String> names = new ArrayList<>(model.tensors.keySet());
    for (String name : names) {
      TinyDirectory.Tensor tensor = Objects.requireNonNull(model.tensors.get(name));
      int[] shape = tensor.shape();
      boolean beside = name.endsWith(".scales") || name.endsWith(".biases");
      if (quantised) {
        boolean integers = tensor.dtype().equals("U32");
        model.tensor(name, integers ? "U32" : numbers, shape);
      } else if (beside) {
        model.without(name);
      } else {
        int width = tensor.dtype().equals("U32") ? 64 : shape[shape.length - 1];
        model.tensor(
            name, numbers, shape.length == 1 ? new int[] {width} : new int[] {shape[0], width});
      }
    }
    return quantised ? model : model.without("quantization");
  }

  private ComputePolicy chosen(TinyDirectory model, String budget) throws IOException {
    try (Checkpoint checkpoint = Checkpoints.open(model.write(directory))) {
      return ComputePolicy.choose(
          checkpoint, false, new MemoryBudget(ByteSize.parse(budget)), new ByteSize(0));
    }
  }

  @ParameterizedTest(name = "{0} quantised: {1}, in {2} as {3}")
  @CsvSource({
    "BF16, false, 64MiB, EXPANDED", // 17 MiB as float32
    "BF16, false, 12MiB, NARROW", // 9 MiB as they are
    "BF16, false, 1MiB, NARROW",
    "F32, false, 1MiB, EXPANDED",
    "BF16, true, 64MiB, EXPANDED",
    "BF16, true, 4MiB, QUANTISED",
    "BF16, true, 1MiB, QUANTISED",
  })
  void theFastestFormThatFits(String numbers, boolean quantised, String budget, Form form)
      throws IOException {
    assertEquals(form, chosen(model(MANY, numbers, quantised), budget).form());
  }

  @Test
  void aSmallModelOfSixteenBitsIsComputedAsTheReferenceDoes() throws IOException {
    for (String budget : List.of("64GiB", "1KiB")) {
      assertEquals(Form.AS_IN_FILE, chosen(model(FEW, "BF16", true), budget).form());
      assertEquals(Form.AS_IN_FILE, chosen(model(FEW, "F16", false), budget).form());
      assertEquals(
          budget.equals("1KiB") ? Form.QUANTISED : Form.EXPANDED,
          chosen(model(FEW, "F32", true), budget).form());
    }
  }

  @Test
  void aFormIsCalledByWhatItDoes() throws IOException {
    try (Checkpoint plain = Checkpoints.open(model(FEW, "BF16", false).write(directory))) {
      assertEquals("float32, bfloat16 activations", label(Form.EXPANDED, plain));
      assertEquals("bfloat16", label(Form.NARROW, plain));
    }
    try (Checkpoint quantised = Checkpoints.open(model(FEW, "F16", true).write(directory))) {
      assertEquals(
          "quantised, float32 scales, float16 activations", label(Form.QUANTISED, quantised));
      assertEquals("quantised, float16 scales", label(Form.AS_IN_FILE, quantised));
    }
  }

  private static String label(Form form, Checkpoint checkpoint) {
    return ComputePolicy.of(form, checkpoint, false).label(checkpoint);
  }
}
