package dev.semantic.mlx.kv;

import static dev.semantic.mlx.kv.Told.HEADS;
import static dev.semantic.mlx.kv.Told.HEAD_DIM;
import static dev.semantic.mlx.kv.Told.KV_HEADS;
import static dev.semantic.mlx.kv.Told.SCALE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.MlxSession;
import dev.semantic.mlx.array.Ops;
import dev.semantic.mlx.array.Scope;
import dev.semantic.mlx.testing.RequiresNatives;
import dev.semantic.model.KvLayout.Layer;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Scores that are bent, with a window and without, held against attention as it is written. */
@RequiresNatives
class BentScoresTest {
  private static final float SOFTCAP = 0.5f;
  private static final float TOLERANCE = 1e-4f;

  /**
   * Two sequences: their prompts in chunks, and then both in one step until a window has passed.
   */
  @ParameterizedTest(name = "a window of {0} in chunks of {1}")
  @CsvSource({"0, 64", "5, 1", "5, 3", "5, 64", "70, 33", "70, 256"})
  void areBentInEveryLayerHoweverThePromptIsCut(int window, int chunk) {
    Layer layer = new Layer(KV_HEADS, HEAD_DIM, window);
    List<Told> told = List.of(Told.of(3, 300), Told.of(900, 300));
    int[] prompts = {130, 41};
    MlxSession session = MlxSession.open();
    session
        .owner()
        .run(
            () -> {
              try (Scope scope = session.scope("bent")) {
                List<KvCache> caches =
                    told.stream().map(_ -> KvCache.of(scope, layer, DType.FLOAT32)).toList();
                for (int i = 0; i < prompts.length; i++) {
                  prefill(scope, caches.get(i), told.get(i), window, prompts[i], chunk);
                }
                for (int step = 0; step < 150; step++) {
                  step(scope, caches, told, window);
                }
              }
            });
  }

  private static void prefill(
      Scope scope, KvCache cache, Told told, int window, int length, int chunk) {
    for (int from = 0; from < length; from += chunk) {
      int to = Math.min(length, from + chunk);
      try (Scope s = scope.child("chunk")) {
        MlxArray q = told.array(s, 0, HEADS, from, to);
        MlxArray k = told.array(s, 1, KV_HEADS, from, to);
        MlxArray v = told.array(s, 2, KV_HEADS, from, to);
        MlxArray seen = cache.attend(s, q, k, v, SCALE, new Masks(s, SOFTCAP));
        s.eval(seen);
        float[] expected = told.attention(from, to, window, SOFTCAP);
        assertArrayEquals(expected, seen.toFloats(), TOLERANCE, "from %d".formatted(from));
      }
    }
    assertEquals(length, cache.offset());
  }

  private static void step(Scope scope, List<KvCache> caches, List<Told> told, int window) {
    int[] at = caches.stream().mapToInt(KvCache::offset).toArray();
    try (Scope s = scope.child("step")) {
      MlxArray[] parts = new MlxArray[3];
      for (int which = 0; which < 3; which++) {
        int heads = which == 0 ? HEADS : KV_HEADS;
        MlxArray[] each = new MlxArray[at.length];
        for (int i = 0; i < at.length; i++) {
          each[i] = told.get(i).array(s, which, heads, at[i], at[i] + 1);
        }
        parts[which] = Ops.concatenate(s, 0, each);
      }
      MlxArray seen =
          RaggedAttention.of(s, parts[0], parts[1], parts[2], caches, SCALE, SOFTCAP, false);
      s.eval(seen);
      float[] all = seen.toFloats();
      int width = HEADS * HEAD_DIM;
      for (int i = 0; i < at.length; i++) {
        float[] expected = told.get(i).attention(at[i], at[i] + 1, window, SOFTCAP);
        float[] actual = Arrays.copyOfRange(all, i * width, (i + 1) * width);
        assertArrayEquals(expected, actual, TOLERANCE, "sequence %d at %d".formatted(i, at[i]));
      }
    }
  }
}
