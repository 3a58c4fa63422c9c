package dev.semantic.mlx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.KvSnapshot;
import dev.semantic.mlx.testing.RandomGguf;
import dev.semantic.mlx.testing.RequiresNatives;
import dev.semantic.model.ModelId;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A whole small Gemma 3 whose windows slide, by logits: however a sequence came to stand where it
 * stands, what it says next is what a sequence says that was computed in one go, under one mask.
 */
@RequiresNatives
class WindowExactnessTest {
  private static final float TOLERANCE = 2e-4f;
  private static final int NEXT = 5;

  /** Buffers grow and move their window in steps of so many tokens. */
  private static final int STEP = 256;

  @TempDir private Path directory;

  private final Map<Integer, float[]> expected = new HashMap<>(); // by the text's length

  private void with(int window, Consumer<LoadedModel> body) {
    Path file = RandomGguf.gemma3(7, window).write(directory, "gemma-" + window, 17);
    try (MlxModelRuntime runtime = MlxModelRuntime.open();
        PreparedModel prepared = runtime.prepare(new ModelId(file.toString()));
        LoadedModel model = prepared.load(LoadProgress.NONE)) {
      body.accept(model);
    }
  }

  private static int[] text(int length) {
    return IntStream.range(0, length)
        .map(i -> (i * 37 + i / 7 * 11) % RandomGguf.VOCABULARY)
        .toArray();
  }

  /** Around the window, around the edges of buffers, and when windows have moved once and twice. */
  private static NavigableSet<Integer> lengths(int window) {
    NavigableSet<Integer> lengths = new TreeSet<>();
    for (int around : new int[] {window, STEP, STEP + window, 2 * STEP + 99}) {
      for (int length = Math.max(1, around - 1); length <= around + 1; length++) {
        lengths.add(length);
      }
    }
    return lengths;
  }

  private static void tell(LoadedModel model, Sequence sequence, int[] text, int chunk) {
    for (int from = sequence.length(); from < text.length; from += chunk) {
      int[] part = Arrays.copyOfRange(text, from, Math.min(text.length, from + chunk));
      model.forward(List.of(new Chunk(sequence, part, false)));
    }
  }

  private static float[] next(LoadedModel model, Sequence sequence, int token) {
    return model.forward(List.of(new Chunk(sequence, new int[] {token}, true))).getFirst();
  }

  /** What comes behind {@code text} and one more token, computed in one go. */
  private float[] expected(LoadedModel model, int[] text) {
    return expected.computeIfAbsent(text.length, length -> inOneGo(model, text));
  }

  private static float[] inOneGo(LoadedModel model, int[] text) {
    try (Sequence fresh = model.open()) {
      int[] all = Arrays.copyOf(text, text.length + 1);
      all[text.length] = NEXT;
      return model.forward(List.of(new Chunk(fresh, all, true))).getFirst();
    }
  }

  private void same(LoadedModel model, int[] text, Sequence sequence, String how) {
    assertArrayEquals(text, sequence.tokens(), how);
    assertArrayEquals(expected(model, text), next(model, sequence, NEXT), TOLERANCE, how);
  }

  @ParameterizedTest(name = "a window of {0}")
  @ValueSource(ints = {8, 200})
  void inChunksOfAnySize(int window) {
    with(
        window,
        model -> {
          for (int length : lengths(window)) {
            int[] text = text(length);
            for (int chunk : new int[] {window - 1, window + 1, STEP}) {
              try (Sequence sequence = model.open()) {
                tell(model, sequence, text, chunk);
                same(model, text, sequence, "%d tokens by %d".formatted(length, chunk));
              }
            }
          }
        });
  }

  /** One by one, as an answer comes; and each place is parked, restored and gone on from. */
  @ParameterizedTest(name = "a window of {0}")
  @ValueSource(ints = {8, 256})
  void tokenByTokenAndParkedOnTheWay(int window) {
    with(
        window,
        model -> {
          NavigableSet<Integer> lengths = lengths(window);
          try (Sequence sequence = model.open()) {
            for (int length : lengths) {
              int[] text = text(length);
              tell(model, sequence, text, 1);
              KvSnapshot parked = sequence.snapshot();
              try (Sequence restored = model.restore(parked);
                  Sequence again = model.restore(restored.snapshot())) {
                same(model, text, restored, "restored at " + length);
                tell(model, again, text(length + 3), 1);
                try (Sequence beside = model.restore(parked)) {
                  tell(model, beside, text(length + 3), 1);
                  assertArrayEquals(
                      next(model, beside, NEXT), next(model, again, NEXT), 0f, "at " + length);
                }
              }
            }
            tell(model, sequence, text(lengths.last() + 3), 1);
            same(model, text(lengths.last() + 3), sequence, "never parked");
          }
        });
  }

  /** What a restored sequence says is what the one that stayed says, to the last bit. */
  @ParameterizedTest(name = "a window of {0}")
  @ValueSource(ints = {8, 256})
  void whatWasParkedGoesOnBitForBit(int window) {
    with(
        window,
        model -> {
          for (int length : lengths(window)) {
            try (Sequence stayed = model.open()) {
              tell(model, stayed, text(length), 64);
              try (Sequence restored = model.restore(stayed.snapshot())) {
                for (int i = 0; i < 12; i++) {
                  assertArrayEquals(
                      next(model, stayed, i), next(model, restored, i), 0f, length + " + " + i);
                }
                int[] more = text(40);
                float[] expected = model.forward(List.of(new Chunk(stayed, more, true))).getFirst();
                float[] actual = model.forward(List.of(new Chunk(restored, more, true))).getFirst();
                assertArrayEquals(expected, actual, 0f, length + ", a chunk");
              }
            }
          }
        });
  }

  /** Exact, or refused with nothing changed. */
  @ParameterizedTest(name = "a window of {0}")
  @ValueSource(ints = {8, 256})
  void trimmedAndSharedExactlyOrNotAtAll(int window) {
    with(
        window,
        model -> {
          int[] outcomes = new int[4];
          for (int length : lengths(window)) {
            for (int back : new int[] {1, 2, window - 1, window, window + 1, length - 1}) {
              if (back < length) {
                outcomes[trimmed(model, length, length - back) ? 1 : 0]++;
                outcomes[forked(model, length, length - back) ? 3 : 2]++;
              }
            }
          }
          for (int outcome : outcomes) {
            assertTrue(outcome > 0, "not all was seen: " + Arrays.toString(outcomes));
          }
        });
  }

  private boolean trimmed(LoadedModel model, int length, int to) {
    try (Sequence sequence = model.open()) {
      tell(model, sequence, text(length), 130);
      boolean can = sequence.trim(to);
      assertEquals(can ? to : length, sequence.length());
      String how = "%d trimmed to %d: %s".formatted(length, to, can);
      same(model, text(can ? to : length), sequence, how);
      return can;
    }
  }

  private boolean forked(LoadedModel model, int length, int at) {
    try (Sequence donor = model.open()) {
      tell(model, donor, text(length), 130);
      Optional<Sequence> fork = donor.fork(at);
      String how = "%d forked at %d: %s".formatted(length, at, fork.isPresent());
      if (fork.isPresent()) {
        try (Sequence sharing = fork.get();
            Sequence parked = model.restore(sharing.snapshot())) {
          same(model, text(at), sharing, how);
          same(model, text(at), parked, how + ", parked");
        }
      }
      same(model, text(length), donor, how + ", the donor");
      return fork.isPresent();
    }
  }

  /** After a swap to another model and back, the same numbers come out of the file. */
  @Test
  void anotherModelInBetweenChangesNothing() {
    Path llama = RandomGguf.llama(3).write(directory, "llama", 3);
    Path gemma = RandomGguf.gemma3(7, 8).write(directory, "gemma", 4);
    for (Path here : List.of(llama, gemma)) {
      Path there = here.equals(llama) ? gemma : llama;
      try (MlxModelRuntime runtime = MlxModelRuntime.open();
          PreparedModel prepared = runtime.prepare(new ModelId(here.toString()));
          PreparedModel other = runtime.prepare(new ModelId(there.toString()))) {
        for (int length : new int[] {1, 7, 8, 9, 255, 256, 257, 530}) {
          KvSnapshot parked;
          float[][] expected = new float[6][];
          try (LoadedModel model = prepared.load(LoadProgress.NONE);
              Sequence sequence = model.open()) {
            tell(model, sequence, text(length), 100);
            parked = sequence.snapshot();
            Arrays.setAll(expected, i -> next(model, sequence, i));
          }
          try (LoadedModel model = other.load(LoadProgress.NONE);
              Sequence sequence = model.open()) {
            tell(model, sequence, text(30), 30);
          }
          try (LoadedModel model = prepared.load(LoadProgress.NONE);
              Sequence sequence = model.restore(parked)) {
            for (int i = 0; i < expected.length; i++) {
              assertArrayEquals(
                  expected[i], next(model, sequence, i), 0f, here + " at " + length + " + " + i);
            }
          }
        }
      }
    }
  }
}
