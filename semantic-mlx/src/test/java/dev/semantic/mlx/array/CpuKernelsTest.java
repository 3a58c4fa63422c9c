package dev.semantic.mlx.array;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.semantic.mlx.MlxException;
import dev.semantic.mlx.testing.RequiresNatives;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Our own kernels against float64 arithmetic, and against themselves. */
@RequiresNatives
class CpuKernelsTest {
  private static final List<String> ALL = List.of("portable", "avx2", "avx-vnni", "avx512-vnni");
  private static final int[] BITS = {2, 3, 4, 5, 6, 8};
  private static final int[] GROUPS = {32, 64, 128};
  private static final DType[] FORMATS = {DType.FLOAT32, DType.FLOAT16, DType.BFLOAT16};

  /** Those that this machine has. */
  static Stream<String> instructionSets() {
    return ALL.stream().filter(CpuKernelsTest::isHere);
  }

  private static boolean isHere(String name) {
    boolean[] here = new boolean[1];
    OnMlx.run(
        s -> {
          if (MlxSession.open().kernels().isPresent()) {
            try {
              CpuKernels.use(name);
              here[0] = true;
            } catch (MlxException e) {
              here[0] = false; // another machine's
            }
            CpuKernels.use("");
          }
        });
    return here[0] || name.equals("portable"); // which is left for a run to say that it is skipped
  }

  static void with(String instructionSet, java.util.function.Consumer<Scope> body) {
    assumeTrue(MlxSession.open().kernels().isPresent(), "MLX's own kernels serve here");
    OnMlx.run(
        s -> {
          CpuKernels.use(instructionSet);
          assertEquals(instructionSet, CpuKernels.instructionSet());
          body.accept(s);
        });
  }

  @AfterEach
  void restore() {
    restoreKernels();
  }

  static void restoreKernels() {
    OnMlx.run(
        s -> {
          if (MlxSession.open().kernels().isPresent()) {
            CpuKernels.use("");
            CpuKernels.limitThreads(Runtime.getRuntime().availableProcessors());
          }
        });
  }

  /** A matrix, in MLX and as numbers. */
  private record Matrix(
      MlxArray weights,
      MlxArray scales,
      MlxArray biases,
      int out,
      int in,
      int group,
      int bits,
      int[] packed,
      float[] scale,
      float[] bias) {

    static Matrix random(Scope s, Random random, int out, int in, int group, int bits, DType type) {
      int[] packed = random.ints((long) out * in * bits / 32).toArray();
      int groups = out * in / group;
      float[] scale = floats(random, groups, 0.02);
      float[] bias = floats(random, groups, 0.1);
      return of(s, out, in, group, bits, type, packed, scale, bias);
    }

    static Matrix of(
        Scope s,
        int out,
        int in,
        int group,
        int bits,
        DType type,
        int[] packed,
        float[] scale,
        float[] bias) {
      MlxArray weights =
          s.copyOf(
              java.lang.foreign.MemorySegment.ofArray(packed), DType.UINT32, out, in * bits / 32);
      MlxArray scales = Ops.astype(s, s.floats(scale, out, in / group), type);
      MlxArray biases = Ops.astype(s, s.floats(bias, out, in / group), type);
      return new Matrix(
          weights,
          scales,
          biases,
          out,
          in,
          group,
          bits,
          packed,
          Ops.astype(s, scales, DType.FLOAT32).toFloats(),
          Ops.astype(s, biases, DType.FLOAT32).toFloats());
    }

    int integer(int row, int column) {
      int width = in * bits / 32;
      int at = column * bits;
      int word = row * width + at / 32;
      long two = Integer.toUnsignedLong(packed[word]);
      if (at % 32 + bits > 32) {
        two |= Integer.toUnsignedLong(packed[word + 1]) << 32;
      }
      return (int) (two >>> at % 32) & ((1 << bits) - 1);
    }

    int groupOf(int row, int column) {
      return row * (in / group) + column / group;
    }

    MlxArray times(Scope s, MlxArray x) {
      return CpuKernels.quantizedMatmul(s, x, weights, scales, biases, group, bits);
    }

    float[] times(Scope s, float[] x, int rows) {
      return times(s, s.floats(x, rows, in)).toFloats();
    }

    @Override
    public String toString() {
      return "[%d, %d], %d bits in groups of %d, %s"
          .formatted(out, in, bits, group, scales.dtype());
    }
  }

  static float[] floats(Random random, int count, double scale) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (float) (random.nextGaussian() * scale);
    }
    return numbers;
  }

  /**
   * As exact as fixed point of 16 bits for each block of 32 numbers allows, the sums of float32 on
   * top, and the result's own rounding.
   */
  private static void assertProduct(Matrix matrix, float[] x, float[] y, double rounding) {
    for (int v = 0; v * matrix.in < x.length; v++) {
      for (int row = 0; row < matrix.out; row++) {
        double sum = 0;
        double slack = 0;
        for (int i = 0; i < matrix.in; i++) {
          float number = x[v * matrix.in + i];
          int group = matrix.groupOf(row, i);
          double weight = (double) matrix.scale[group] * matrix.integer(row, i);
          double bias = matrix.bias[group];
          sum += (weight + bias) * number;
          double largest = largestOfBlock(x, v * matrix.in + i / 32 * 32);
          double magnitude = Math.abs(weight) + Math.abs(bias);
          slack += magnitude * (largest / 65_000 + Math.abs(number) * 4e-7);
        }
        float actual = y[v * matrix.out + row];
        double tolerance = slack + Math.abs(sum) * rounding + 1e-38;
        if (Math.abs(actual - sum) > tolerance) {
          assertEquals(sum, actual, tolerance, "vector " + v + ", row " + row + " of " + matrix);
        }
      }
    }
  }

  private static double largestOfBlock(float[] x, int first) {
    double largest = 0;
    for (int i = first; i < first + 32; i++) {
      largest = Math.max(largest, Math.abs(x[i]));
    }
    return largest;
  }

  @ParameterizedTest
  @MethodSource("instructionSets")
  void everyShapeAndFormatIsNearFloat64(String instructionSet) {
    Random random = new Random(24);
    int[] outs = {1, 2, 15, 16, 17, 33};
    int[] vectors = {1, 2, 3, 4, 5, 7, 8, 9, 16, 19, 35};
    with(
        instructionSet,
        s -> {
          for (int bits : BITS) {
            for (int group : GROUPS) {
              for (DType scales : FORMATS) {
                try (Scope one = s.child("one")) {
                  int in = group * (1 + random.nextInt(700 / group));
                  int out = outs[random.nextInt(outs.length)];
                  int rows = vectors[random.nextInt(vectors.length)];
                  Matrix matrix = Matrix.random(one, random, out, in, group, bits, scales);
                  DType activations = FORMATS[random.nextInt(FORMATS.length)];
                  MlxArray x =
                      Ops.astype(
                          one, one.floats(floats(random, rows * in, 1), rows, in), activations);
                  MlxArray y = matrix.times(one, x);
                  assertEquals(activations, y.dtype());
                  assertTrue(Arrays.equals(new int[] {rows, out}, y.shape()));
                  assertProduct(
                      matrix,
                      Ops.astype(one, x, DType.FLOAT32).toFloats(),
                      Ops.astype(one, y, DType.FLOAT32).toFloats(),
                      activations == DType.FLOAT32
                          ? 0
                          : activations == DType.FLOAT16 ? 6e-4 : 4e-3);
                }
              }
            }
          }
        });
  }

  /** The promise that batches, chunks, threads and machines rest on. */
  @ParameterizedTest
  @MethodSource("instructionSets")
  void aRowHasTheSameBitsHoweverItIsComputed(String instructionSet) {
    with(
        instructionSet,
        s -> {
          Random random = new Random(7);
          for (int bits : BITS) {
            for (int group : GROUPS) {
              try (Scope one = s.child("one")) {
                int in = group * 5;
                int out = 307;
                int rows = 270; // more than are packed at a time
                Matrix matrix = Matrix.random(one, random, out, in, group, bits, DType.FLOAT16);
                float[] x = floats(random, rows * in, 1);
                CpuKernels.limitThreads(1);
                float[] together = matrix.times(one, x, rows);
                CpuKernels.limitThreads(3);
                assertBits(together, matrix.times(one, x, rows), matrix + " on three threads");
                for (int count : new int[] {1, 2, 3, 4, 5, 6, 7, 8, 13, 16, 36}) {
                  int first = random.nextInt(rows - count);
                  float[] few = Arrays.copyOfRange(x, first * in, (first + count) * in);
                  assertBits(
                      Arrays.copyOfRange(together, first * out, (first + count) * out),
                      matrix.times(one, few, count),
                      matrix + ", " + count + " of its rows");
                }
                CpuKernels.use("portable");
                float[] one16 = Arrays.copyOf(x, 16 * in);
                float[] portable = matrix.times(one, one16, 16);
                CpuKernels.use(instructionSet);
                assertBits(Arrays.copyOf(together, 16 * out), portable, matrix + ", portable");
              }
            }
          }
        });
  }

  static void assertBits(float[] expected, float[] actual, String what) {
    assertEquals(expected.length, actual.length, what);
    for (int i = 0; i < expected.length; i++) {
      if (Float.floatToRawIntBits(expected[i]) != Float.floatToRawIntBits(actual[i])) {
        assertEquals(expected[i], actual[i], what + ", number " + i);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("instructionSets")
  void vectorsAreFoundWhereverTheyLie(String instructionSet) {
    with(
        instructionSet,
        s -> {
          Matrix matrix = Matrix.random(s, new Random(3), 21, 96, 32, 4, DType.BFLOAT16);
          float[] x = floats(new Random(4), 2 * 3 * 96, 1);
          float[] expected = matrix.times(s, x, 6);
          MlxArray there = s.floats(x, 2, 3, 96);
          MlxArray turned = Ops.contiguous(s, Ops.transpose(s, there, 2, 1, 0));
          MlxArray back = Ops.transpose(s, turned, 2, 1, 0); // the same numbers, other strides
          MlxArray y = matrix.times(s, back);
          assertTrue(Arrays.equals(new int[] {2, 3, 21}, y.shape()));
          assertBits(expected, y.toFloats(), "a view");
        });
  }

  @ParameterizedTest
  @MethodSource("instructionSets")
  void whatIsNoNumberIsSeenInItsOwnVectorOnly(String instructionSet) {
    with(
        instructionSet,
        s -> {
          Random random = new Random(5);
          float[] bad = {
            Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.MIN_VALUE, 1e-36f
          };
          for (int bits : BITS) {
            Matrix matrix = Matrix.random(s, random, 17, 160, 32, bits, DType.FLOAT32);
            float[] x = floats(random, 9 * 160, 1);
            float[] good = matrix.times(s, x, 9);
            for (float each : bad) {
              float[] changed = x.clone();
              Arrays.fill(changed, 4 * 160 + 64, 4 * 160 + 96, 0);
              changed[4 * 160 + 64 + random.nextInt(32)] = each;
              float[] y = matrix.times(s, changed, 9);
              assertBits(Arrays.copyOf(good, 4 * 17), Arrays.copyOf(y, 4 * 17), "before");
              assertBits(
                  Arrays.copyOfRange(good, 5 * 17, 9 * 17),
                  Arrays.copyOfRange(y, 5 * 17, 9 * 17),
                  "behind");
              float[] vector = Arrays.copyOfRange(changed, 4 * 160, 5 * 160);
              float[] result = Arrays.copyOfRange(y, 4 * 17, 5 * 17);
              if (Float.isFinite(each)) {
                assertProduct(matrix, vector, result, 1e-6);
              } else {
                assertLikeFloat64(matrix, vector, result);
              }
            }
          }
        });
  }

  /** Infinite or NaN where arithmetic on 64 bits is. */
  private static void assertLikeFloat64(Matrix matrix, float[] x, float[] y) {
    for (int row = 0; row < matrix.out; row++) {
      double sum = 0;
      for (int i = 0; i < matrix.in; i++) {
        int group = matrix.groupOf(row, i);
        sum += ((double) matrix.scale[group] * matrix.integer(row, i) + matrix.bias[group]) * x[i];
      }
      assertEquals((float) sum, y[row], "row " + row + " of " + matrix);
    }
  }

  @ParameterizedTest
  @MethodSource("instructionSets")
  void aScaleThatIsNoNumberSpoilsItsRowOnly(String instructionSet) {
    with(
        instructionSet,
        s -> {
          Random random = new Random(6);
          float[] x = floats(random, 3 * 128, 1);
          for (int bits : BITS) {
            for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
              for (boolean bias : new boolean[] {false, true}) {
                Matrix good = Matrix.random(s, random, 19, 128, 32, bits, DType.BFLOAT16);
                float[] scales = good.scale.clone();
                float[] biases = good.bias.clone();
                (bias ? biases : scales)[7 * 4 + 2] = bad;
                Matrix spoilt =
                    Matrix.of(s, 19, 128, 32, bits, DType.BFLOAT16, good.packed, scales, biases);
                float[] before = good.times(s, x, 3);
                float[] after = spoilt.times(s, x, 3);
                for (int i = 0; i < after.length; i++) {
                  if (i % 19 == 7) {
                    assertFalse(Float.isFinite(after[i]), spoilt.toString());
                  } else {
                    assertEquals(before[i], after[i], spoilt.toString());
                  }
                }
              }
            }
          }
        });
  }

  @ParameterizedTest
  @MethodSource("instructionSets")
  void numbersOfAnySizeAreMultiplied(String instructionSet) {
    with(
        instructionSet,
        s -> {
          Random random = new Random(8);
          for (int bits : BITS) {
            Matrix matrix = Matrix.random(s, random, 9, 192, 64, bits, DType.FLOAT32);
            for (double size : new double[] {0, 1e-44, 1e-38, 1e-34, 1e-30, 1e-10, 1e10, 1e34}) {
              float[] x = floats(random, 2 * 192, size);
              assertProduct(matrix, x, matrix.times(s, x, 2), 1e-6);
            }
            float[] x = floats(random, 192, 1);
            float[] tiny = new float[9 * 3];
            Arrays.fill(tiny, 6e-8f); // the smallest that half precision has
            Matrix subnormal =
                Matrix.of(s, 9, 192, 64, bits, DType.FLOAT16, matrix.packed, tiny, tiny);
            assertTrue(subnormal.scale[0] > 0, "a scale that is none");
            assertProduct(subnormal, x, subnormal.times(s, x, 1), 1e-6);
          }
        });
  }

  @Test
  void nothingTimesAMatrixIsNothing() {
    with(
        "portable",
        s -> {
          Matrix matrix = Matrix.random(s, new Random(1), 5, 32, 32, 4, DType.FLOAT32);
          MlxArray y = matrix.times(s, s.zeros(DType.FLOAT32, 0, 32));
          assertTrue(Arrays.equals(new int[] {0, 5}, y.shape()));
          s.eval(y);
        });
  }

  @Test
  void whatDoesNotFitIsRefusedWithASentence() {
    with(
        "portable",
        s -> {
          Matrix m = Matrix.random(s, new Random(1), 5, 64, 32, 4, DType.FLOAT32);
          MlxArray x = s.zeros(DType.FLOAT32, 1, 64);
          assertRefused(MlxException.class, () -> m.times(s, s.zeros(DType.FLOAT32, 1, 96)), "fit");
          assertRefused(MlxException.class, () -> m.times(s, s.zeros(DType.FLOAT32, 1, 33)), "33");
          assertRefused(MlxException.class, () -> m.times(s, s.zeros(DType.INT32, 1, 64)), "float");
          assertRefused(
              MlxException.class,
              () -> CpuKernels.quantizedMatmul(s, x, m.weights, m.scales, m.biases, 32, 7),
              "7 bits");
          assertRefused(
              MlxException.class,
              () -> CpuKernels.quantizedMatmul(s, x, m.weights, m.scales, m.biases, 16, 4),
              "groups of 16");
          assertRefused(
              MlxException.class,
              () -> CpuKernels.quantizedMatmul(s, x, m.weights, x, m.biases, 32, 4),
              "scales");
          assertRefused(MlxException.class, () -> CpuKernels.use("mmx"), "mmx", "semantic.kernels");
          assertEquals("portable", CpuKernels.instructionSet());
        });
  }
}
