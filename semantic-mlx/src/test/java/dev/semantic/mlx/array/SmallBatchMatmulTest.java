package dev.semantic.mlx.array;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.semantic.mlx.testing.RequiresNatives;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A large matrix as many small ones gives what it gives whole. */
class SmallBatchMatmulTest {
  @ParameterizedTest(name = "{0} rows, {1} x {2} by {3}")
  @CsvSource({"1, 48, 640, 64", "5, 48, 640, 64", "16, 40, 96, 16", "3, 7, 6400, 32"})
  @RequiresNatives
  void theOrderIsThatOfTheMatrix(int rows, int in, int out, int height) {
    Random random = new Random(31);
    float[] left = numbers(random, rows * in);
    float[] right = numbers(random, out * in);
    MlxSession session = MlxSession.open();
    session
        .owner()
        .run(
            () -> {
              try (Scope s = session.scope("narrow")) {
                MlxArray x = s.floats(left, rows, 1, in);
                MlxArray transposed = Ops.transpose(s, s.floats(right, out, in), 1, 0);
                MlxArray product = SmallBatchMatmul.of(s, x, transposed, height);
                assertArrayEquals(new int[] {rows, 1, out}, product.shape());
                assertArrayEquals(product(left, right, rows, in, out), product.toFloats(), 1e-4f);
              }
            });
  }

  private static float[] numbers(Random random, int count) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = random.nextFloat() - 0.5f;
    }
    return numbers;
  }

  private static float[] product(float[] left, float[] right, int rows, int in, int out) {
    float[] product = new float[rows * out];
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < out; column++) {
        double sum = 0;
        for (int i = 0; i < in; i++) {
          sum += (double) left[row * in + i] * right[column * in + i];
        }
        product[row * out + column] = (float) sum;
      }
    }
    return product;
  }

  @Test
  void whatIsSmallOrHasManyRowsIsLeftWhole() {
    assertEquals(0, SmallBatchMatmul.height(1, 576, 960, 1), "small as it is");
    assertEquals(64, SmallBatchMatmul.height(1, 576, 49152, 1));
    assertEquals(64, SmallBatchMatmul.height(16, 576, 3072, 1));
    assertEquals(32, SmallBatchMatmul.height(16, 1536, 576, 1), "more would be too many products");
    assertEquals(0, SmallBatchMatmul.height(256, 576, 3072, 1), "a prompt");
    assertEquals(
        0, SmallBatchMatmul.height(1, 576, 49157, 1), "a vocabulary that cannot be divided");
    assertEquals(0, SmallBatchMatmul.height(4, 70_000, 3072, 1), "rows too long for any height");
    assertEquals(64, SmallBatchMatmul.height(5, 576, 3072, 2));
    assertEquals(0, SmallBatchMatmul.height(6, 576, 3072, 2), "two threads pack faster");
    assertEquals(0, SmallBatchMatmul.height(1, 576, 3072, 8), "eight threads do");
  }

  @Test
  void threadsAreThoseOfOpenBlas() {
    int all = Runtime.getRuntime().availableProcessors();
    assertEquals(1, SmallBatchMatmul.threads("1"));
    assertEquals(all, SmallBatchMatmul.threads(null));
    assertEquals(all, SmallBatchMatmul.threads("0"));
    assertEquals(all, SmallBatchMatmul.threads("many"));
    assertEquals(all, SmallBatchMatmul.threads("9999"));
  }
}
