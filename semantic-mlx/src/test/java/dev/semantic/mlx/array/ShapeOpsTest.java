package dev.semantic.mlx.array;

import static dev.semantic.mlx.array.Numbers.assertClose;
import static dev.semantic.mlx.array.Numbers.make;
import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.semantic.mlx.testing.RequiresNatives;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** What moves numbers without changing them: every number carries where it came from. */
@RequiresNatives
class ShapeOpsTest {
  /** {@code [2, 3, 4]}, holding 0 to 23. */
  private static MlxArray box(Scope s) {
    return s.floats(make(24, i -> i), 2, 3, 4);
  }

  @Test
  void reshapeAndTranspose() {
    OnMlx.run(
        s -> {
          MlxArray x = box(s);
          assertClose(make(24, i -> i), Ops.reshape(s, x, 6, 4), 6, 4);
          assertClose(make(24, i -> i), Ops.reshape(s, x, 2, -1), 2, 12);
          assertClose(
              make(24, i -> (double) (i / 6 + i % 2 * 12 + i / 2 % 3 * 4)),
              Ops.transpose(s, x, 2, 1, 0),
              4,
              3,
              2);
          assertClose(make(24, i -> i), Ops.expandDims(s, x, 1), 2, 1, 3, 4);
          MlxArray rows = Ops.contiguous(s, Ops.transpose(s, x, 0, 2, 1));
          assertClose(make(24, i -> i / 12 * 12 + i % 3 * 4 + i / 3 % 4), rows, 2, 4, 3);
        });
  }

  @Test
  void sliceAndSliceUpdate() {
    OnMlx.run(
        s -> {
          MlxArray x = box(s);
          MlxArray part = Ops.slice(s, x, new int[] {1, 0, 2}, new int[] {2, 3, 4});
          assertClose(new float[] {14, 15, 18, 19, 22, 23}, part, 1, 3, 2);
          MlxArray patch = s.floats(new float[] {-1, -2}, 1, 1, 2);
          MlxArray patched = Ops.sliceUpdate(s, x, patch, new int[] {0, 1, 1}, new int[] {1, 2, 3});
          assertClose(make(24, i -> i == 5 ? -1 : i == 6 ? -2 : i), patched, 2, 3, 4);
          assertClose(make(24, i -> i), x, 2, 3, 4); // who still holds it sees no change
        });
  }

  @Test
  void concatenateAndTake() {
    OnMlx.run(
        s -> {
          MlxArray a = s.floats(new float[] {1, 2, 3, 4}, 2, 2);
          MlxArray b = s.floats(new float[] {5, 6}, 2, 1);
          assertClose(new float[] {1, 2, 5, 3, 4, 6}, Ops.concatenate(s, 1, a, b), 2, 3);
          MlxArray rows = Ops.take(s, a, s.ints(1, 0, 1), 0);
          assertClose(new float[] {3, 4, 1, 2, 3, 4}, rows, 3, 2);
          assertClose(new float[] {2, 4}, Ops.take(s, a, s.ints(1), 1), 2, 1);
        });
  }

  @Test
  void zerosAndArange() {
    OnMlx.run(
        s -> {
          assertClose(new float[6], s.zeros(DType.FLOAT32, 3, 2), 3, 2);
          MlxArray steps = Ops.arange(s, 3, -3, -2, DType.INT32);
          assertArrayEquals(new int[] {3, 1, -1}, steps.toInts());
        });
  }

  @Test
  void numbersInAnotherFormat() {
    OnMlx.run(
        s -> {
          MlxArray x = s.floats(new float[] {1.75f, -2.5f, 3}, 3);
          assertArrayEquals(new int[] {1, -2, 3}, Ops.astype(s, x, DType.INT32).toInts());
          MlxArray half = Ops.astype(s, x, DType.BFLOAT16);
          assertEquals(6, half.bytes());
          assertClose(new float[] {1.75f, -2.5f, 3}, Ops.astype(s, half, DType.FLOAT32), 3);
        });
  }

  @Test
  void everyFormatHasMlxsSize() {
    OnMlx.run(
        s -> {
          for (DType type : DType.values()) {
            MlxArray zeros = s.zeros(type, 5);
            assertEquals(type, zeros.dtype());
            assertEquals(5L * type.bytes(), zeros.bytes(), type.name());
          }
        });
  }

  @Test
  void emptyArraysAreArrays() {
    OnMlx.run(
        s -> {
          MlxArray none = s.floats(new float[0], 0, 4);
          assertEquals(0, none.size());
          assertClose(new float[0], none, 0, 4);
          assertClose(
              new float[] {1}, Ops.concatenate(s, 0, s.ints(), s.floats(new float[] {1}, 1)), 1);
          assertClose(new float[0], s.unfilled(DType.FLOAT32, 0, 2), 0, 2);
        });
  }

  @Test
  void dataComesFromInsideAndOutsideTheHeap() {
    OnMlx.run(
        s -> {
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment outside = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 2, 3, 4);
            MlxArray x = s.copyOf(outside, DType.FLOAT32, 2, 2);
            outside.fill((byte) 0); // MLX has its own copy
            assertClose(new float[] {1, 2, 3, 4}, x, 2, 2);
            MemorySegment target = arena.allocate(20, 4);
            target.fill((byte) 7);
            Ops.transpose(s, x, 1, 0).read(target);
            assertArrayEquals(
                new float[] {1, 3, 2, 4}, target.asSlice(0, 16).toArray(ValueLayout.JAVA_FLOAT));
            assertEquals(7, target.get(ValueLayout.JAVA_BYTE, 16));
            assertThrows(IndexOutOfBoundsException.class, () -> x.read(target.asSlice(0, 15)));
          }
        });
  }

  @Test
  void whatIsNoShapeIsRefused() {
    OnMlx.run(
        s -> {
          float[] four = new float[4];
          for (int[] shape : new int[][] {{3}, {-2, -2}, {-4}, {4, 0}, {5, -1}, {}}) {
            assertThrows(IllegalArgumentException.class, () -> s.floats(four, shape));
          }
          int most = Integer.MAX_VALUE;
          assertThrows(IllegalArgumentException.class, () -> s.floats(four, most, most, most));
          assertThrows(IllegalArgumentException.class, () -> s.floats(new float[1], new int[17]));
          MlxArray x = box(s).named("x");
          assertEquals(4, x.dim(-1));
          assertEquals(2, x.dim(-3));
          assertRefused(
              IndexOutOfBoundsException.class,
              () -> x.dim(3),
              "'x' of shape [2, 3, 4] has no axis 3");
          assertThrows(IndexOutOfBoundsException.class, () -> x.dim(-4));
        });
  }
}
