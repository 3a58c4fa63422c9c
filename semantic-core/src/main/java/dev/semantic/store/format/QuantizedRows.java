package dev.semantic.store.format;

import dev.semantic.kv.KvEncoding;
import dev.semantic.model.KvPrecision;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Numbers in 4 or 8 bits. A row, one token's keys or values in one head, is cut into groups of at
 * least 64 numbers; of each group the least and the greatest number are kept in 16 bits, and of
 * each number how far it lies between the two (affine quantisation, "asymmetric min-max" in the
 * literature). Groups never cross rows, so what becomes of a token does not depend on where in a
 * cache it stands; and the two ends of a group come back as they were written, so that what has
 * been quantised once is written the same again. {@code docs/cache-format.md} has the arithmetic.
 *
 * <p>Keeps arrays to work in: for use by one thread.
 */
public final class QuantizedRows {
  private static final int GROUP = 64;

  /** Numbers converted at a time: enough to make a loop of it, and small enough to stay near. */
  private static final int BATCH = 4096;

  /** Times 255, it is still a number. */
  private static final float MOST_BFLOAT16 = 0x1p112f;

  private static final float MOST_FLOAT16 = 65504;

  /** Rounding to 16 bits is undone by quantising in one or two rounds; this is a safeguard. */
  private static final int MOST_ROUNDS = 8;

  private final KvPrecision precision;
  private final int bits;
  private final int most;
  private final int headDim;
  private final int groups;
  private final int rowBytes;
  private final float[] numbers;
  private final short[] halves;
  private final int[] codes;
  private final int[] again;
  private final float[] back;
  private final byte[] written;

  /**
   * @param encoding not {@link KvEncoding#EXACT}
   */
  QuantizedRows(KvEncoding encoding, KvPrecision precision, int headDim) {
    int rows = Math.max(1, BATCH / headDim);
    this.precision = precision;
    this.bits = encoding.bits();
    this.most = (1 << bits) - 1;
    this.headDim = headDim;
    this.groups = groups(headDim);
    this.rowBytes = bytes(encoding, precision, headDim);
    this.numbers = new float[rows * headDim];
    this.halves = new short[rows * headDim];
    this.codes = new int[headDim + 1];
    this.again = new int[headDim + 1];
    this.back = new float[headDim];
    this.written = new byte[rowBytes];
  }

  private static int groups(int headDim) {
    return Math.max(1, headDim / GROUP);
  }

  private int start(int group) {
    return (int) ((long) group * headDim / groups);
  }

  /** Bytes of a row on disk. */
  static int bytes(KvEncoding encoding, KvPrecision precision, int headDim) {
    return switch (encoding) {
      case EXACT -> Math.multiplyExact(headDim, precision.bytes());
      case Q8 -> Math.addExact(headDim, 4 * groups(headDim));
      case Q4 -> {
        int groups = groups(headDim);
        int size = headDim / groups;
        int longer = headDim % groups; // groups that have one more
        yield 4 * groups + longer * ((size + 2) / 2) + (groups - longer) * ((size + 1) / 2);
      }
    };
  }

  /**
   * Whether all of these numbers can be quantised: none is infinite or not a number, none so great
   * that 16 bits cannot hold it.
   *
   * @param bytes in {@code precision}, from position to limit
   */
  public static boolean fit(KvPrecision precision, ByteBuffer bytes) {
    ByteBuffer from = bytes.slice().order(ByteOrder.LITTLE_ENDIAN);
    float[] numbers = new float[BATCH];
    short[] halves = new short[BATCH];
    float limit = precision == KvPrecision.BFLOAT16 ? MOST_BFLOAT16 : MOST_FLOAT16;
    while (from.hasRemaining()) {
      int count = Math.min(BATCH, from.remaining() / precision.bytes());
      read(precision, from, numbers, halves, count);
      float greatest = 0;
      for (int i = 0; i < count; i++) {
        greatest = Math.max(greatest, Math.abs(numbers[i]));
      }
      if (!(greatest <= limit)) { // true of what is not a number
        return false;
      }
    }
    return true;
  }

  /** Writes rows that {@link #fit}, from position to limit. */
  void encode(ByteBuffer rows, ByteBuffer to) {
    ByteBuffer from = rows.slice().order(ByteOrder.LITTLE_ENDIAN);
    while (from.hasRemaining()) {
      int count = Math.min(numbers.length, from.remaining() / precision.bytes());
      read(precision, from, numbers, halves, count);
      for (int row = 0; row < count; row += headDim) {
        int at = 0;
        for (int group = 0; group < groups; group++) {
          at = encode(row + start(group), row + start(group + 1), at);
        }
        to.put(written);
      }
    }
  }

  private int encode(int start, int end, int at) {
    float least = numbers[start];
    float greatest = least;
    for (int i = start; i < end; i++) {
      least = Math.min(least, numbers[i]);
      greatest = Math.max(greatest, numbers[i]);
    }
    int count = end - start;
    short low = half(least);
    short high = half(greatest);
    if (number(low) == number(high)) {
      high = low;
      Arrays.fill(codes, 0, count, 0);
    } else {
      quantize(numbers, start, count, least, greatest, codes);
      if (precision != KvPrecision.FLOAT32) {
        settle(count, number(low), number(high));
      }
    }
    putHalf(at, low);
    putHalf(at + 2, high);
    return pack(count, at + 4);
  }

  private void quantize(
      float[] from, int start, int count, float least, float greatest, int[] codes) {
    float range = greatest - least;
    for (int i = 0; i < count; i++) {
      codes[i] = (int) ((from[start + i] - least) / range * most + 0.5f);
    }
  }

  /** Where two codes stand for the same number in 16 bits, takes the one it would come back as. */
  private void settle(int count, float least, float greatest) {
    for (int round = 0; round < MOST_ROUNDS; round++) {
      number(codes, count, least, greatest, back, 0);
      for (int i = 0; i < count; i++) {
        back[i] = number(half(back[i]));
      }
      quantize(back, 0, count, least, greatest, again);
      if (Arrays.equals(codes, 0, count, again, 0, count)) {
        return;
      }
      System.arraycopy(again, 0, codes, 0, count);
    }
  }

  private void number(
      int[] codes, int count, float least, float greatest, float[] numbers, int at) {
    for (int i = 0; i < count; i++) {
      numbers[at + i] = (least * (most - codes[i]) + greatest * codes[i]) / most;
    }
  }

  /** The first half of a group's codes in the lower four bits, the other in the upper ones. */
  private int pack(int count, int at) {
    if (bits == 8) {
      for (int i = 0; i < count; i++) {
        written[at + i] = (byte) codes[i];
      }
      return at + count;
    }
    int bytes = (count + 1) / 2;
    codes[count] = 0;
    for (int i = 0; i < bytes; i++) {
      written[at + i] = (byte) (codes[i] | (codes[bytes + i] << 4));
    }
    return at + bytes;
  }

  private int unpack(int count, int at) {
    if (bits == 8) {
      for (int i = 0; i < count; i++) {
        codes[i] = written[at + i] & 0xFF;
      }
      return at + count;
    }
    int bytes = (count + 1) / 2;
    for (int i = 0; i < bytes; i++) {
      codes[i] = written[at + i] & 0xF;
      codes[bytes + i] = (written[at + i] >> 4) & 0xF;
    }
    return at + bytes;
  }

  /** Reads rows in the form in which {@link #encode} writes them, until {@code to} is full. */
  void decode(ByteBuffer from, ByteBuffer to) {
    ByteBuffer rows = to.slice().order(ByteOrder.LITTLE_ENDIAN);
    while (rows.hasRemaining()) {
      int count = Math.min(numbers.length, rows.remaining() / precision.bytes());
      for (int row = 0; row < count; row += headDim) {
        from.get(written);
        int at = 0;
        for (int group = 0; group < groups; group++) {
          at = decode(row + start(group), row + start(group + 1), at);
        }
      }
      write(rows, count);
    }
  }

  private int decode(int start, int end, int at) {
    float least = number(getHalf(at));
    float greatest = number(getHalf(at + 2));
    int next = unpack(end - start, at + 4);
    number(codes, end - start, least, greatest, numbers, start);
    return next;
  }

  private static void read(
      KvPrecision precision, ByteBuffer from, float[] numbers, short[] halves, int count) {
    switch (precision) {
      case FLOAT32 -> from.asFloatBuffer().get(numbers, 0, count);
      case FLOAT16 -> {
        from.asShortBuffer().get(halves, 0, count);
        for (int i = 0; i < count; i++) {
          numbers[i] = Float.float16ToFloat(halves[i]);
        }
      }
      case BFLOAT16 -> {
        from.asShortBuffer().get(halves, 0, count);
        for (int i = 0; i < count; i++) {
          numbers[i] = Float.intBitsToFloat(halves[i] << 16);
        }
      }
    }
    from.position(from.position() + count * precision.bytes());
  }

  private void write(ByteBuffer to, int count) {
    if (precision == KvPrecision.FLOAT32) {
      to.asFloatBuffer().put(numbers, 0, count);
    } else {
      for (int i = 0; i < count; i++) {
        halves[i] = half(numbers[i]);
      }
      to.asShortBuffer().put(halves, 0, count);
    }
    to.position(to.position() + count * precision.bytes());
  }

  /** In 16 bits, to the nearest, ties to even; there is only one zero. */
  private short half(float number) {
    float value = number + 0.0f;
    if (precision != KvPrecision.BFLOAT16) {
      short half = Float.floatToFloat16(value);
      return half == Short.MIN_VALUE ? 0 : half;
    }
    int raw = Float.floatToRawIntBits(value);
    short half = (short) ((raw + 0x7FFF + ((raw >>> 16) & 1)) >>> 16);
    return half == Short.MIN_VALUE ? 0 : half;
  }

  private float number(short half) {
    return precision == KvPrecision.BFLOAT16
        ? Float.intBitsToFloat(half << 16)
        : Float.float16ToFloat(half);
  }

  private void putHalf(int at, short half) {
    written[at] = (byte) half;
    written[at + 1] = (byte) (half >> 8);
  }

  private short getHalf(int at) {
    return (short) ((written[at] & 0xFF) | (written[at + 1] << 8));
  }
}
