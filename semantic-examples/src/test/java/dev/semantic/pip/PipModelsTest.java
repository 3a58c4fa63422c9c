package dev.semantic.pip;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.semantic.examples.testing.RequiresModels;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.Mlx;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.models.FetchProgress;
import dev.semantic.mlx.models.KnownModel;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.mlx.models.ModelVerifier;
import dev.semantic.model.ModelId;
import dev.semantic.spi.PreparedModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

@RequiresModels
class PipModelsTest {
  @Test
  void gemmasPartsAreInOrder() {
    List<PipOrigin.Part> parts = ((PipOrigin) PipModels.GEMMA3.origin()).parts();
    assertEquals(4, parts.size());
    for (int i = 0; i < 4; i++) {
      PipOrigin.Part part = parts.get(i);
      assertTrue(part.entry().endsWith(".part0" + i), part.entry());
      assertTrue(part.project().endsWith("part" + (i + 1)), part.project());
    }
  }

  @Test
  void theFetchedFilesAreTheOnesThatWereMeant() {
    for (KnownModel model : PipModels.catalog().models()) {
      ModelVerifier verifier = new ModelVerifier(PipModels.catalog());
      var checked = verifier.verify(new ModelId(model.name()), FetchProgress.NONE).getFirst();
      assertEquals(Optional.of(model.sha256()), checked.found());
    }
  }

  /** What was fetched by a name has it for those, too, who know nothing of its origin. */
  @Test
  void theUsersCatalogueFindsThemByName() {
    for (KnownModel model : PipModels.catalog().models()) {
      Path file = PipModels.catalog().path(model);
      assertEquals(file, ModelCatalog.ofUser().resolve(new ModelId(model.name())));
    }
  }

  /** What is said of a model that is not here yet is what its file says. */
  @Test
  void whatIsKnownIsWhatTheFilesSay() {
    MemoryBudget tight = new MemoryBudget(new ByteSize(1 << 20));
    ModelCatalog catalog = PipModels.catalog();
    try (MlxModelRuntime runtime = MlxModelRuntime.open(catalog, tight);
        Mlx mlx = Mlx.open()) {
      for (KnownModel known : catalog.models()) {
        try (PreparedModel prepared = runtime.prepare(new ModelId(known.name()))) {
          assertEquals(known.architecture(), prepared.spec().architecture());
        }
        assumeFalse(mlx.gpu(), "the figure is of a CPU");
        assertEquals(known.leastMemoryBytes(), runtime.footprint(catalog.path(known)).bytes());
      }
    }
  }
}
