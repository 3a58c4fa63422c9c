package dev.semantic.mlx;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.mlx.testing.RandomGguf;
import dev.semantic.mlx.testing.RequiresNatives;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.PreparedModel;
import dev.semantic.swap.ModelSwapException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A model whose weights compute no numbers is no model, and takes over from none. */
@RequiresNatives
class ComputesNumbersTest {
  private static final int HIDDEN = 32;

  @TempDir private Path directory = Path.of("");
  private final MlxModelRuntime runtime = MlxModelRuntime.open();
  private long baseline;

  @BeforeEach
  void begin() {
    baseline = runtime.memory().activeBytes();
  }

  @AfterEach
  void nothingIsLeft() {
    assertEquals(baseline, runtime.memory().activeBytes());
    runtime.close();
  }

  private ModelId write(String name, RandomGguf gguf) {
    return new ModelId(gguf.write(directory, name, 1).toString());
  }

  private ModelException refused(ModelId id, String... words) {
    try (PreparedModel prepared = runtime.prepare(id)) {
      return assertRefused(ModelException.class, () -> prepared.load(LoadProgress.NONE), words);
    }
  }

  private void loads(ModelId id) {
    try (PreparedModel prepared = runtime.prepare(id);
        LoadedModel model = prepared.load(LoadProgress.NONE)) {
      assertEquals(id, model.spec().id());
    }
  }

  /** Also where no warm-up token comes by: rows of the vocabulary. */
  @ParameterizedTest
  @CsvSource({
    "blk.0.ffn_up.weight, NaN",
    "blk.1.attn_norm.weight, Infinity",
    "token_embd.weight, NaN",
    "token_embd.weight, -Infinity"
  })
  void aWeightThatIsNoNumberIsNamed(String tensor, float value) {
    int row = tensor.contains("norm") ? 0 : 37;
    ModelId id = write("none", RandomGguf.llama(2).with(tensor, row * HIDDEN + 5, value));
    ModelException thrown =
        refused(id, tensor, "none.gguf", String.valueOf(value), "row %d, column 5".formatted(row));
    assertEquals(ModelException.Kind.DAMAGED, thrown.kind());
  }

  @Test
  void numbersThatOverflowOnTheWayAreRefused() {
    RandomGguf large = RandomGguf.llama(1);
    for (int i = 0; i < HIDDEN; i++) {
      large = large.with("output_norm.weight", i, 3e38f);
    }
    ModelException thrown = refused(write("large", large), "large.gguf", "compute no answer");
    assertEquals(ModelException.Kind.DAMAGED, thrown.kind());
  }

  @Test
  void aModelThatAnswersEveryTokenAlikeIsRefused() {
    RandomGguf mute = RandomGguf.llama(1);
    for (int i = 0; i < HIDDEN; i++) {
      mute = mute.with("output_norm.weight", i, 0);
    }
    refused(write("mute", mute), "mute.gguf", "answers every token alike");
  }

  /** As vocabularies have that were filled up, or a token that was never trained. */
  @ParameterizedTest
  @CsvSource({"0", "21", "63"})
  void anEmptyRowOfTheVocabularyIsNoFault(int row) {
    RandomGguf gguf = RandomGguf.llama(2);
    for (int i = 0; i < HIDDEN; i++) {
      gguf = gguf.with("token_embd.weight", row * HIDDEN + i, 0);
    }
    loads(write("empty-row", gguf));
  }

  @Test
  void theOldModelServesOn() {
    ModelId good = write("good", RandomGguf.llama(2));
    ModelId bad =
        write("bad", RandomGguf.llama(2).with("blk.0.attn_q.weight", HIDDEN + 3, Float.NaN));
    try (ModelRegistry registry = ModelRegistry.builder(runtime).build()) {
      registry.load(good);
      List<Integer> before = tokens(registry);
      assertThrows(ModelSwapException.class, () -> registry.swapWithRollback(bad));
      assertEquals(good, registry.current().orElseThrow().id());
      assertEquals(before, tokens(registry));
    }
  }

  private static List<Integer> tokens(ModelRegistry registry) {
    return registry
        .generate(
            GenerationRequest.of(new Prompt.Tokens(new int[] {1, 2, 3}))
                .maxTokens(4)
                .ignoreEos(true)
                .build())
        .await()
        .tokens();
  }
}
