package dev.semantic.mlx.array;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import java.util.function.IntToDoubleFunction;

/** Numbers for tests, and how they are compared. */
final class Numbers {
  private static final double TOLERANCE = 2e-5;

  private Numbers() {}

  /** The same for the same seed, between -1 and 1. */
  static float[] some(long seed, int count) {
    Random random = new Random(seed);
    return make(count, i -> random.nextDouble() * 2 - 1);
  }

  static float[] make(int count, IntToDoubleFunction number) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (float) number.applyAsDouble(i);
    }
    return numbers;
  }

  static void assertClose(float[] expected, MlxArray actual, int... shape) {
    assertArrayEquals(shape, actual.shape(), actual.name());
    float[] numbers = actual.toFloats();
    assertEquals(expected.length, numbers.length, actual.name());
    for (int i = 0; i < expected.length; i++) {
      int at = i;
      assertEquals(
          expected[i],
          numbers[i],
          TOLERANCE * Math.max(1, Math.abs(expected[i])),
          () -> actual.name() + " at " + at);
    }
  }

  /** Booleans arrive as bytes. */
  static void assertTruth(boolean[] expected, Scope s, MlxArray actual) {
    assertEquals(DType.BOOL, actual.dtype());
    int[] bits = Ops.astype(s, actual, DType.INT32).toInts();
    assertEquals(expected.length, bits.length, actual.name());
    for (int i = 0; i < bits.length; i++) {
      assertEquals(expected[i] ? 1 : 0, bits[i], actual.name() + " at " + i);
    }
  }
}
