package dev.semantic.mlx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.contract.SharingContract;
import dev.semantic.mlx.testing.RequiresModels;
import dev.semantic.model.KvLayout.Layer;
import dev.semantic.model.ModelId;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** MLX, with the two real models, keeps to what every backend promises. */
@RequiresModels
class MlxRuntimeContractTest extends SharingContract {
  @Override
  protected ModelRuntime open() {
    return MlxModelRuntime.open();
  }

  @Override
  protected ModelId first() {
    return new ModelId("smollm2-135m-instruct");
  }

  @Override
  protected ModelId second() {
    return new ModelId("gemma-3-270m");
  }

  private static int[] text(int length) {
    return IntStream.range(0, length).map(i -> 20 + i * 37 % 900).toArray();
  }

  private static void prefill(LoadedModel model, Sequence sequence, int[] tokens) {
    for (int from = 0; from < tokens.length; from += 128) {
      int[] chunk = Arrays.copyOfRange(tokens, from, Math.min(tokens.length, from + 128));
      model.forward(List.of(new Chunk(sequence, chunk, false)));
    }
  }

  private static float[] next(LoadedModel model, Sequence sequence) {
    return model.forward(List.of(new Chunk(sequence, new int[] {77}, true))).getFirst();
  }

  @Test
  void aWindowIsSharedOnlyWhereItStillHoldsAllOfIt() {
    with(
        second(),
        model -> {
          int window =
              model.spec().kvLayout().layers().stream().mapToInt(Layer::window).max().orElseThrow();
          int[] text = text(window + 300);
          try (Sequence donor = model.open()) {
            prefill(model, donor, text);
            assertEquals(Optional.empty(), donor.fork(1).map(fork -> 1));
            int accepted = 0;
            for (int at : new int[] {window - 1, window, window + 1, window + 290, window + 300}) {
              Optional<Sequence> fork = donor.fork(at);
              if (fork.isPresent()) {
                accepted++;
                try (Sequence sharing = fork.get();
                    Sequence cold = model.open()) {
                  prefill(model, cold, Arrays.copyOf(text, at));
                  assertArrayEquals(next(model, cold), next(model, sharing), 1e-2f, "at " + at);
                }
              }
            }
            assertTrue(accepted >= 2, "nothing was shared");
          }
          try (Sequence donor = model.open()) {
            prefill(model, donor, Arrays.copyOf(text, window));
            for (int at : new int[] {1, window - 1, window}) {
              try (Sequence sharing = donor.fork(at).orElseThrow();
                  Sequence cold = model.open()) {
                prefill(model, cold, Arrays.copyOf(text, at));
                assertArrayEquals(next(model, cold), next(model, sharing), 1e-2f, "at " + at);
              }
            }
          }
        });
  }

  @Test
  void manyForksHoldTheBeginningOnce() {
    with(
        first(),
        model -> {
          List<Sequence> all = new ArrayList<>();
          try (Sequence donor = model.open()) {
            prefill(model, donor, text(768));
            next(model, donor);
            long alone = runtime().memory().activeBytes();
            long bytes = donor.bytes();
            for (int i = 0; i < 5; i++) {
              Sequence fork = donor.fork(768).orElseThrow();
              all.add(fork);
              next(model, fork);
            }
            long grown = runtime().memory().activeBytes() - alone;
            long tails = 5 * bytes / 3; // a new tail has room for 256 tokens
            assertTrue(grown < tails + bytes / 4, grown + " bytes for forks of " + bytes);
          } finally {
            all.forEach(Sequence::close);
          }
        });
  }
}
