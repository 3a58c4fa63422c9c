package dev.semantic.mlx.isolated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.mlx.testing.RequiresNatives;
import dev.semantic.mlx.testing.TinyModels;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.PreparedModel;
import org.junit.jupiter.api.Test;

/** The budget decides the form in a process of its own as it does in this one. */
@RequiresNatives
class IsolatedBudgetTest {
  private static final ModelId MODEL =
      new ModelId(TinyModels.of("tiny-llama-tied-q4").toString()); // with float32 scales
  private static final MemoryBudget TIGHT = new MemoryBudget(ByteSize.parse("1MiB"));

  @Test
  void aChildChoosesTheFormThatTheBudgetHolds() {
    ModelSpec here = spec(MlxModelRuntime.open(ModelCatalog.ofUser(), TIGHT));
    ModelSpec there = spec(IsolatedRuntime.builder().budget(TIGHT).open());
    assertEquals("quantised, float32 scales", there.compute());
    assertEquals(here, there);
    ModelSpec roomy = spec(IsolatedRuntime.open());
    assertEquals("float32", roomy.compute());
    assertNotEquals(there.tag(), roomy.tag());
  }

  @Test
  void aChildComputesWithTheKernelsOfItsHost() {
    System.setProperty("semantic.kernels", "on");
    try {
      ModelSpec here = spec(MlxModelRuntime.open(ModelCatalog.ofUser(), TIGHT));
      assertEquals(here, spec(IsolatedRuntime.builder().budget(TIGHT).open()));
    } finally {
      System.clearProperty("semantic.kernels");
    }
  }

  private static ModelSpec spec(ModelRuntime runtime) {
    try (runtime;
        PreparedModel prepared = runtime.prepare(MODEL)) {
      return prepared.spec();
    }
  }
}
