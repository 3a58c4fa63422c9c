package dev.semantic.mlx.kv;

import static dev.semantic.mlx.kv.Told.HEADS;
import static dev.semantic.mlx.kv.Told.HEAD_DIM;
import static dev.semantic.mlx.kv.Told.KV_HEADS;
import static dev.semantic.mlx.kv.Told.SCALE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.KvSnapshot.LayerKv;
import dev.semantic.mlx.Mlx;
import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.MlxSession;
import dev.semantic.mlx.array.Scope;
import dev.semantic.mlx.testing.RequiresNatives;
import dev.semantic.model.KvLayout.Layer;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What went wrong in public systems with the KV cache of one layer, done here once more and held
 * against attention as the paper writes it, number by number, in Java.
 */
@RequiresNatives
class KnownKvDefectsTest {
  private static final float TOLERANCE = 1e-4f;

  private static void onMlx(Consumer<Scope> body) {
    MlxSession session = MlxSession.open();
    session
        .owner()
        .run(
            () -> {
              try (Scope scope = session.scope("kv")) {
                body.accept(scope);
              }
            });
  }

  private static Layer window(int window) {
    return new Layer(KV_HEADS, HEAD_DIM, window);
  }

  /** Tells a cache the tokens from its end to {@code to}, in parts, and looks at what each sees. */
  private static void tell(Scope scope, KvCache cache, Layer layer, Told told, int to, int chunk) {
    for (int from = cache.offset(); from < to; from += chunk) {
      int end = Math.min(to, from + chunk);
      assertArrayEquals(
          told.attention(from, end, layer.window()),
          attend(scope, cache, told, from, end),
          TOLERANCE,
          "tokens %d to %d, a window of %d".formatted(from, end, layer.window()));
    }
  }

  private static float[] attend(Scope scope, KvCache cache, Told told, int from, int to) {
    try (Scope s = scope.child("attend")) {
      MlxArray out =
          cache.attend(
              s,
              told.array(s, 0, HEADS, from, to),
              told.array(s, 1, KV_HEADS, from, to),
              told.array(s, 2, KV_HEADS, from, to),
              SCALE,
              new Masks(s));
      s.eval(out);
      return out.toFloats();
    }
  }

  /**
   * A sliding-window mask was ignored while a prompt was computed in parts: plausible text, found
   * only by its perplexity.
   */
  @ParameterizedTest(name = "a window of {0} in chunks of {1}")
  @CsvSource({"0, 64", "5, 1", "5, 3", "5, 64", "70, 33", "70, 256", "300, 64", "300, 700"})
  void aWindowIsKeptHoweverThePromptIsCut(int window, int chunk) {
    int length = chunk == 1 ? 300 : 700;
    onMlx(
        scope -> {
          Layer layer = window(window);
          KvCache cache = KvCache.of(scope, layer, DType.FLOAT32);
          tell(scope, cache, layer, Told.of(1, length), length, chunk);
        });
  }

  /**
   * A rotating cache that was trimmed after it had wrapped went on with the wrong tokens (mlx-lm
   * #1776, #1914, mlx-vlm #1715). Here it is exact, or says that it can't and stays as it was.
   */
  @ParameterizedTest(name = "restored: {0}")
  @ValueSource(booleans = {false, true})
  void aWindowThatHasWrappedIsTrimmedExactlyOrNotAtAll(boolean restored) {
    Layer layer = window(100);
    Told told = Told.of(1, 900);
    Told others = Told.of(5000, 40);
    int[] outcomes = new int[2];
    onMlx(
        scope -> {
          for (int length : new int[] {900, 899, 860, 801, 800, 750, 600, 500, 99, 0}) {
            try (Scope own = scope.child("cache")) {
              KvCache cache = full(own, layer, told, restored);
              boolean can = cache.canTrim(length);
              outcomes[can ? 1 : 0]++;
              if (can) {
                cache.trim(length);
              } else {
                assertThrows(IllegalStateException.class, () -> cache.trim(length));
              }
              int kept = can ? length : 900;
              assertEquals(kept, cache.offset());
              tell(own, cache, layer, told.butThen(kept, others), kept + 40, 16);
            }
          }
        });
    assertTrue(outcomes[0] > 0, "it never wrapped");
    assertTrue(outcomes[1] > 0, "it cannot even forget nothing");
  }

  private static KvCache full(Scope scope, Layer layer, Told told, boolean restored) {
    KvCache cache = KvCache.of(scope, layer, DType.FLOAT32);
    int length = told.tokens().length;
    for (int from = 0; from < length; from += 64) {
      attend(scope, cache, told, from, Math.min(length, from + 64));
    }
    if (!restored) {
      return cache;
    }
    try (Scope s = scope.child("restore")) {
      LayerKv saved = cache.snapshot(s);
      assertEquals(layer.window(), saved.length());
      KvCache again = KvCache.of(scope, layer, DType.FLOAT32);
      again.restore(s, saved, List.of());
      return again;
    }
  }

  /**
   * Growing by concatenation copies the whole cache at every token: 3.73 instead of 0.22 ms at
   * 4,096 tokens (MLX's documentation). Here nothing as large as the cache is allocated between two
   * growths, and it grows by 256 tokens.
   */
  @Test
  void aTokenIsWrittenInPlace() {
    Layer layer = new Layer(8, 128, 0);
    long token = 2L * 8 * 128 * Float.BYTES;
    onMlx(
        scope -> {
          Mlx.Memory memory = Mlx.open().memory();
          KvCache cache = KvCache.of(scope, layer, DType.FLOAT32);
          append(scope, cache, 1000);
          assertEquals(1024 * token, cache.bytes());
          for (int at = 1000; at < 1024; at++) {
            long before = memory.activeBytes();
            memory.resetPeak();
            append(scope, cache, 1);
            long allocated = memory.peakBytes() - before;
            assertTrue(allocated < 1024 * token / 8, "%d bytes at %d".formatted(allocated, at));
            assertEquals(before, memory.activeBytes());
          }
          assertEquals(1024 * token, cache.bytes());
          append(scope, cache, 1);
          assertEquals((1024 + 256) * token, cache.bytes());
        });
  }

  private static void append(Scope scope, KvCache cache, int tokens) {
    try (Scope s = scope.child("append")) {
      MlxArray zeros = s.zeros(DType.FLOAT32, 1, 8, tokens, 128);
      s.eval(zeros);
      MlxArray out = cache.attend(s, zeros, zeros, zeros, 1, new Masks(s));
      s.eval(Stream.concat(Stream.of(out), Stream.of(cache.arrays())).toList());
    }
  }
}
