package dev.semantic.mlx;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.semantic.mlx.testing.RandomGguf;
import dev.semantic.mlx.testing.RequiresNatives;
import dev.semantic.model.ModelId;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Closed is closed: a runtime gives back what it took, and what others took stays. */
@RequiresNatives
class ClosedRuntimeTest {
  @TempDir private Path directory = Path.of("");

  private ModelId model() {
    return new ModelId(RandomGguf.llama(2).write(directory, "model", 1).toString());
  }

  @Test
  void whatARuntimeHoldsGoesWithItAndWhatOthersHoldStays() {
    ModelId id = model();
    try (MlxModelRuntime other = MlxModelRuntime.open();
        PreparedModel theirs = other.prepare(id);
        LoadedModel stays = theirs.load(LoadProgress.NONE);
        Sequence sequence = stays.open()) {
      forward(stays, sequence);
      long before = other.memory().activeBytes();
      MlxModelRuntime closing = MlxModelRuntime.open();
      PreparedModel prepared = closing.prepare(id);
      LoadedModel model = prepared.load(LoadProgress.NONE);
      Sequence lost = model.open();
      forward(model, lost);
      closing.close();
      assertEquals(before, other.memory().activeBytes());
      assertRefused(IllegalStateException.class, () -> forward(model, lost), "closed");
      assertRefused(IllegalStateException.class, model::open, "closed");
      assertRefused(IllegalStateException.class, () -> prepared.load(LoadProgress.NONE), "closed");
      assertRefused(IllegalStateException.class, () -> closing.prepare(id), "closed");
      lost.close();
      model.close();
      prepared.close();
      closing.close();
      forward(stays, sequence);
      assertEquals(before, other.memory().activeBytes());
    }
  }

  @Test
  void aLoadThatIsUnderWayEnds() {
    ModelId id = model();
    try (MlxModelRuntime other = MlxModelRuntime.open()) {
      long before = other.memory().activeBytes();
      MlxModelRuntime closing = MlxModelRuntime.open();
      PreparedModel prepared = closing.prepare(id);
      assertThrows(
          CancellationException.class, () -> prepared.load((done, total) -> closing.close()));
      assertEquals(before, other.memory().activeBytes());
    }
  }

  private static void forward(LoadedModel model, Sequence sequence) {
    model.forward(List.of(new Chunk(sequence, new int[] {1, 2}, true)));
  }
}
