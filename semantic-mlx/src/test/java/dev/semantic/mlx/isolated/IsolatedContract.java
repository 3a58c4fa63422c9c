package dev.semantic.mlx.isolated;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.semantic.contract.ModelRuntimeContract;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.Sequence;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What a runtime in other processes promises: all that every one does, and it shares nothing. */
abstract class IsolatedContract extends ModelRuntimeContract {
  /** What it had learnt to share would have to pass the contract of those that share. */
  @Test
  void aChildComputesEverythingForEachSequence() {
    with(
        first(),
        model -> {
          assertEquals(Optional.empty(), model.allocateKv());
          try (Sequence donor = model.open()) {
            model.forward(List.of(new Chunk(donor, new int[] {20, 21, 22}, true)));
            assertEquals(Optional.empty(), donor.fork(2));
          }
        });
  }
}
