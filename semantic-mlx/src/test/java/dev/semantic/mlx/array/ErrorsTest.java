package dev.semantic.mlx.array;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.semantic.mlx.MlxException;
import dev.semantic.mlx.testing.RequiresNatives;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** MLX's errors arrive as exceptions with MLX's words, and leave nothing behind. */
@RequiresNatives
class ErrorsTest {
  @Test
  void theMessageIsMlxsOwnWithoutItsBuildPath() {
    OnMlx.run(
        s -> {
          MlxArray a = s.zeros(DType.FLOAT32, 2, 3);
          MlxArray b = s.zeros(DType.FLOAT32, 4, 5);
          MlxException refused =
              assertRefused(
                  MlxException.class,
                  () -> Ops.matmul(s, a, b),
                  "mlx_matmul",
                  "[matmul]",
                  "(2,3)",
                  "(4,5)");
          assertFalse(String.valueOf(refused.getMessage()).contains(".cpp"), refused.toString());
          assertRefused(MlxException.class, () -> Elementwise.add(s, a, b), "broadcast");
          assertRefused(MlxException.class, () -> Ops.reshape(s, a, 5), "reshape", "size 6");
          assertRefused(MlxException.class, () -> Ops.transpose(s, a, 0), "transpose");
          assertRefused(MlxException.class, () -> Ops.softmax(s, a, 2), "mlx_softmax_axis", "axis");
          assertRefused(MlxException.class, () -> Ops.concatenate(s, 0, a, b), "concatenate");
          assertRefused(MlxException.class, () -> Ops.concatenate(s, 0), "concatenate");
          assertRefused(
              MlxException.class,
              () -> Ops.slice(s, a, new int[] {0}, new int[] {1}),
              "slice",
              "dimension 2");
          assertEquals(2, s.liveArrays(), "a failure leaves no array");
        });
  }

  @Test
  void everyKindOfFusedOperationRefusesWrongShapes() {
    OnMlx.run(
        s -> {
          MlxArray x = s.zeros(DType.FLOAT32, 1, 2, 3, 8);
          MlxArray wrong = s.zeros(DType.FLOAT32, 5);
          assertRefused(MlxException.class, () -> Ops.rmsNorm(s, x, wrong, 1e-5f), "rms_norm");
          assertRefused(MlxException.class, () -> Ops.rope(s, x, 8, 0, wrong), "rope");
          assertRefused(
              MlxException.class,
              () -> Ops.attention(s, x, x, wrong, 1, Ops.Mask.NONE),
              "scaled_dot_product_attention");
          assertRefused(
              MlxException.class,
              () -> Ops.attention(s, x, x, x, 1, Ops.Mask.of(wrong)),
              "scaled_dot_product_attention");
          assertRefused(
              MlxException.class,
              () -> Ops.quantizedMatmul(s, x, wrong, wrong, wrong, 32, 4),
              "quantized_matmul");
          assertRefused(
              MlxException.class,
              () -> Ops.dequantize(s, wrong, wrong, wrong, 32, 4),
              "dequantize");
        });
  }

  @Test
  void tenThousandErrorsAndStillAlive() {
    OnMlx.run(
        s -> {
          MlxArray a = s.ints(1, 2, 3);
          MlxArray b = s.ints(1, 2);
          for (int i = 0; i < 10_000; i++) {
            assertThrows(MlxException.class, () -> Elementwise.add(s, a, b));
          }
          assertArrayEquals(new int[] {2, 4, 6}, Elementwise.add(s, a, a).toInts());
          assertEquals(3, s.liveArrays());
        });
  }

  /** The error's text belongs to the call that failed, never to a later one. */
  @Test
  void anErrorIsReportedOnce() {
    OnMlx.run(
        s -> {
          MlxArray a = s.ints(1, 2, 3);
          assertThrows(MlxException.class, () -> Ops.reshape(s, a, 7));
          assertEquals(3, a.size());
          assertEquals(1, Ops.reshape(s, a, 3).rank());
        });
  }

  /** MLX's CPU allocator would write through a null pointer. */
  @Test
  void moreMemoryThanThereIsCanBeAskedFor() {
    OnMlx.run(
        s -> {
          int rows = 1 << 30;
          int columns = 1 << 20;
          assertRefused(
              MlxException.class,
              () -> s.zeros(DType.FLOAT32, rows, columns),
              "[1073741824, 1048576]",
              "4096.0 TiB",
              "this machine has");
          assertRefused(
              MlxException.class, () -> s.unfilled(DType.FLOAT32, rows, columns), "4096.0 TiB");
          // Wraps to zero bytes in 64 bits.
          assertThrows(IllegalArgumentException.class, () -> s.zeros(DType.FLOAT32, rows, rows, 4));
          MlxArray tall = s.zeros(DType.FLOAT32, 1 << 24, 1);
          MlxArray wide = s.zeros(DType.FLOAT32, 1, 1 << 24);
          MlxArray monster = Elementwise.add(s, tall, wide).named("scores");
          assertRefused(MlxException.class, () -> s.eval(monster), "scores", "1024.0 TiB");
          assertArrayEquals(
              new int[] {4, 6}, Elementwise.add(s, s.ints(1, 2), s.ints(3, 4)).toInts());
        });
  }

  @Test
  void onlyTheRightFormatIsReadOut() {
    OnMlx.run(
        s -> {
          MlxArray x = s.ints(IntStream.range(0, 4).toArray()).named("ids");
          assertRefused(IllegalStateException.class, x::toFloats, "'ids'", "INT32", "FLOAT32");
          MlxArray f = Ops.astype(s, x, DType.FLOAT32).named("logits");
          assertRefused(IllegalStateException.class, f::toInts, "'logits'", "FLOAT32", "INT32");
        });
  }

  @Test
  void anotherVersionOfMlxIsRefusedByName() {
    MlxSession.requireVersion("0.32.2", "0.32.2");
    assertRefused(
        MlxException.class,
        () -> MlxSession.requireVersion("0.32.4", "0.32.2"),
        "0.32.4",
        "0.32.2",
        "natives jar");
  }
}
