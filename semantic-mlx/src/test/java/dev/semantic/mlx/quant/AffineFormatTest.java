package dev.semantic.mlx.quant;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.api.Test;

class AffineFormatTest {
  private static final int COLUMNS = 256;
  private static final int ROWS = 3;

  /**
   * Every width in every group, against the definition; there is room for more than is asked for.
   */
  @Test
  void aNumberIsItsScaleTimesItsIntegerPlusItsBias() {
    Random random = new Random(5);
    for (int bits : AffineFormat.BITS) {
      for (int groupSize : AffineFormat.GROUP_SIZES) {
        AffineRows rows = AffineRows.of(ROWS + 1, COLUMNS, bits, groupSize);
        random.nextBytes(rows.weights());
        for (int g = 0; g < rows.scales().length; g++) {
          rows.scales()[g] = random.nextFloat() - 0.5f;
          rows.biases()[g] = random.nextFloat() - 0.5f;
        }
        float[] numbers = new float[ROWS * COLUMNS];
        AffineFormat.expand(rows, numbers.length, numbers);
        for (int i = 0; i < numbers.length; i++) {
          int group = i / groupSize;
          float expected =
              rows.scales()[group] * integer(rows.weights(), bits, i) + rows.biases()[group];
          assertEquals(expected, numbers[i], bits + " bits, group " + groupSize + ", " + i);
        }
      }
    }
  }

  /** Bit by bit, lowest first. */
  private static int integer(byte[] packed, int bits, int index) {
    int value = 0;
    for (int b = 0; b < bits; b++) {
      int at = index * bits + b;
      value |= ((packed[at / 8] >>> (at % 8)) & 1) << b;
    }
    return value;
  }
}
