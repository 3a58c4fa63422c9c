package dev.semantic.store.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.KvEncoding;
import dev.semantic.model.KvPrecision;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Numbers in few bits: how close they come back, and that they then stay what they are. */
class QuantizedRowsTest {
  private static final int[] HEAD_DIMS = {
    1, 2, 3, 5, 31, 32, 63, 64, 65, 80, 96, 127, 128, 129, 200, 256, 257, 1000
  };
  private static final int ROWS = 40;

  static List<Arguments> forms() {
    List<Arguments> forms = new ArrayList<>();
    for (KvEncoding encoding : List.of(KvEncoding.Q8, KvEncoding.Q4)) {
      for (KvPrecision precision : KvPrecision.values()) {
        forms.add(Arguments.of(encoding, precision));
      }
    }
    return forms;
  }

  /** Rows as models have them, and as nobody would wish them. */
  private static List<DoubleSupplier> kinds(Random random) {
    return List.of(
        random::nextGaussian,
        () -> random.nextGaussian() * 1e-3,
        () -> random.nextGaussian() * 3000,
        () -> 100 + random.nextDouble() / 8, // hardly more apart than 16 bits can tell
        () -> 100 + random.nextInt(3) * 0.0625,
        () -> -7 + random.nextGaussian() / 1000,
        () -> random.nextInt(20) == 0 ? 500 * random.nextGaussian() : random.nextGaussian(),
        () -> random.nextBoolean() ? 0.0 : -0.0,
        () -> -0.0,
        () -> random.nextInt(64) == 0 ? -1000 : 1e-4 * random.nextDouble(),
        () -> Math.scalb(random.nextGaussian(), random.nextInt(40) - 30) % 65504,
        () -> random.nextGaussian() * 1e-7, // less than the least that 16 bits hold
        () -> random.nextGaussian() * Float.MIN_VALUE * 10,
        () -> (random.nextBoolean() ? 65504 : -65504) * random.nextDouble(),
        () -> 0.3);
  }

  @ParameterizedTest
  @MethodSource("forms")
  void numbersComeBackCloseAndThenStay(KvEncoding encoding, KvPrecision precision) {
    for (int headDim : HEAD_DIMS) {
      for (DoubleSupplier kind : kinds(new Random(headDim))) {
        float[] numbers = new float[ROWS * headDim];
        for (int i = 0; i < numbers.length; i++) {
          numbers[i] = (float) kind.getAsDouble();
        }
        ByteBuffer rows = bytes(precision, numbers);
        float[] exact = numbers(precision, rows);
        assertTrue(QuantizedRows.fit(precision, rows));

        ByteBuffer written = encode(encoding, precision, headDim, rows);
        ByteBuffer back = decode(encoding, precision, headDim, written);
        checkClose(encoding, precision, headDim, exact, numbers(precision, back));

        assertTrue(QuantizedRows.fit(precision, back));
        ByteBuffer again = encode(encoding, precision, headDim, back);
        assertEquals(written, again, () -> "headDim " + headDim);
        assertEquals(back, decode(encoding, precision, headDim, again));
      }
    }
  }

  /** Half a step, and what 16 bits cost the ends of a group and the result. */
  private static void checkClose(
      KvEncoding encoding, KvPrecision precision, int headDim, float[] exact, float[] found) {
    int groups = Math.max(1, headDim / 64);
    double half = precision == KvPrecision.BFLOAT16 ? 0x1p-8 : 0x1p-11;
    for (int row = 0; row < ROWS; row++) {
      for (int group = 0; group < groups; group++) {
        int start = row * headDim + group * headDim / groups;
        int end = row * headDim + (group + 1) * headDim / groups;
        double least = exact[start];
        double greatest = least;
        for (int i = start; i < end; i++) {
          least = Math.min(least, exact[i]);
          greatest = Math.max(greatest, exact[i]);
        }
        double step = (greatest - least) / ((1 << encoding.bits()) - 1);
        double ends = Math.max(Math.abs(least), Math.abs(greatest)) * half + 0x1p-24;
        for (int i = start; i < end; i++) {
          assertEquals(exact[i], found[i], step / 2 * 1.001 + ends, encoding + " of " + exact[i]);
        }
      }
    }
  }

  @Test
  void aNumberTakesItsBitsAndAGroupFourBytes() {
    KvPrecision any = KvPrecision.FLOAT16;
    assertEquals(36, QuantizedRows.bytes(KvEncoding.Q4, any, 64));
    assertEquals(144, QuantizedRows.bytes(KvEncoding.Q4, any, 256));
    assertEquals(44, QuantizedRows.bytes(KvEncoding.Q4, any, 80));
    assertEquals(20, QuantizedRows.bytes(KvEncoding.Q4, any, 32));
    assertEquals(5, QuantizedRows.bytes(KvEncoding.Q4, any, 1));
    assertEquals(8 + 33 + 33, QuantizedRows.bytes(KvEncoding.Q4, any, 131));
    assertEquals(68, QuantizedRows.bytes(KvEncoding.Q8, any, 64));
    assertEquals(128, QuantizedRows.bytes(KvEncoding.EXACT, any, 64));
    assertEquals(256, QuantizedRows.bytes(KvEncoding.EXACT, KvPrecision.FLOAT32, 64));
  }

  @ParameterizedTest
  @EnumSource
  void whatIsNoNumberDoesNotFit(KvPrecision precision) {
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      for (int at : new int[] {0, 1, 99, 4095, 4096, 4999}) {
        float[] numbers = new float[5000];
        numbers[at] = bad;
        assertFalse(QuantizedRows.fit(precision, bytes(precision, numbers)), bad + " at " + at);
      }
    }
    assertTrue(QuantizedRows.fit(precision, bytes(precision, new float[5000])));
    assertTrue(QuantizedRows.fit(precision, ByteBuffer.allocate(0)));
  }

  @Test
  void whatIsTooGreatDoesNotFit() {
    assertFit(KvPrecision.FLOAT32, 65504, true);
    assertFit(KvPrecision.FLOAT32, 65505, false);
    assertFit(KvPrecision.FLOAT32, -65520, false);
    assertFit(KvPrecision.BFLOAT16, 0x1p112f, true);
    assertFit(KvPrecision.BFLOAT16, -0x1p113f, false);
  }

  private static void assertFit(KvPrecision precision, float number, boolean fits) {
    ByteBuffer bytes = bytes(precision, new float[] {0, number});
    assertEquals(fits, QuantizedRows.fit(precision, bytes), precision + " " + number);
    if (fits) {
      ByteBuffer written = encode(KvEncoding.Q8, precision, 2, bytes);
      assertEquals(bytes, decode(KvEncoding.Q8, precision, 2, written));
    }
  }

  private static ByteBuffer encode(
      KvEncoding encoding, KvPrecision precision, int headDim, ByteBuffer rows) {
    int row = QuantizedRows.bytes(encoding, precision, headDim);
    ByteBuffer written =
        ByteBuffer.allocate(rows.remaining() / (headDim * precision.bytes()) * row);
    new QuantizedRows(encoding, precision, headDim).encode(rows.duplicate(), written);
    assertEquals(0, written.remaining());
    return written.flip();
  }

  private static ByteBuffer decode(
      KvEncoding encoding, KvPrecision precision, int headDim, ByteBuffer written) {
    ByteBuffer rows = ByteBuffer.allocate(ROWS * headDim * precision.bytes());
    if (headDim == 2 && written.remaining() < 40) {
      rows = ByteBuffer.allocate(headDim * precision.bytes());
    }
    new QuantizedRows(encoding, precision, headDim).decode(written.duplicate(), rows.duplicate());
    return rows;
  }

  private static ByteBuffer bytes(KvPrecision precision, float[] numbers) {
    ByteBuffer bytes =
        ByteBuffer.allocate(numbers.length * precision.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (float number : numbers) {
      switch (precision) {
        case FLOAT32 -> bytes.putFloat(number);
        case FLOAT16 -> bytes.putShort(Float.floatToFloat16(number));
        case BFLOAT16 -> bytes.putShort((short) (Float.floatToIntBits(number) >>> 16));
      }
    }
    return bytes.flip();
  }

  private static float[] numbers(KvPrecision precision, ByteBuffer bytes) {
    ByteBuffer from = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    float[] numbers = new float[bytes.remaining() / precision.bytes()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] =
          switch (precision) {
            case FLOAT32 -> from.getFloat();
            case FLOAT16 -> Float.float16ToFloat(from.getShort());
            case BFLOAT16 -> Float.intBitsToFloat(from.getShort() << 16);
          };
    }
    return numbers;
  }
}
