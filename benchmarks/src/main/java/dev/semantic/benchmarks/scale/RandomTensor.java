package dev.semantic.benchmarks.scale;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * A tensor that is made up. Its numbers follow from its place and the seed alone, so that a file
 * can be written again, and a bias knows its scale.
 *
 * @param of which matrix it is a part, or its own name: what its numbers are drawn by
 */
record RandomTensor(String name, String of, Content content, int... shape) {
  /** Four bits, uniformly: their mean is 7.5, their deviation 4.6; times this it is 0.02. */
  private static final float SCALE = 0.02f / 4.6f;

  private static final float MIDDLE = 7.5f;

  /** What is in it. */
  enum Content {
    /** Eight integers of four bits in each word. */
    INTEGERS("U32", 4),
    SCALES("BF16", 2),
    BIASES("BF16", 2),
    /** Plain numbers, small ones. */
    NUMBERS("BF16", 2),
    /** The weights of a norm, about one. */
    NORM("BF16", 2);

    private final String dtype;
    private final int width;

    Content(String dtype, int width) {
      this.dtype = dtype;
      this.width = width;
    }
  }

  long bytes() {
    return Arrays.stream(shape).asLongStream().reduce(content.width, Math::multiplyExact);
  }

  /** Its entry in a safetensors header. */
  String entry(long offset) {
    String lengths =
        Arrays.stream(shape).mapToObj(Integer::toString).collect(Collectors.joining(","));
    return "\"%s\":{\"data_offsets\":[%d,%d],\"dtype\":\"%s\",\"shape\":[%s]}"
        .formatted(name, offset, offset + bytes(), content.dtype, lengths);
  }

  /** Fills a little-endian buffer with what is at byte {@code from} and behind. */
  void fill(long from, ByteBuffer to) {
    long seed = mixed(of.hashCode());
    if (content == Content.INTEGERS) {
      integers(seed + from, to.order(ByteOrder.LITTLE_ENDIAN));
      return;
    }
    for (long i = from / content.width; to.hasRemaining(); i++) {
      float part = (mixed(seed + i) >>> 40) * 0x1p-24f; // 0 to 1
      float number =
          switch (content) {
            case SCALES -> scale(part);
            case BIASES -> -MIDDLE * scale(part);
            case NORM -> 0.9f + 0.2f * part;
            default -> 0.04f * (part - 0.5f);
          };
      to.putShort((short) (Float.floatToRawIntBits(number) >>> 16));
    }
  }

  private static float scale(float part) {
    return SCALE * (0.75f + 0.5f * part);
  }

  /** Xorshift (Marsaglia 2003): gigabytes are wanted, not good numbers. */
  private static void integers(long seed, ByteBuffer to) {
    long word = mixed(seed) | 1;
    while (to.remaining() >= Long.BYTES) {
      word ^= word << 13;
      word ^= word >>> 7;
      word ^= word << 17;
      to.putLong(word);
    }
    while (to.hasRemaining()) {
      to.put((byte) (word >>>= 8));
    }
  }

  /** Splitmix (Steele, Lea and Flood 2014). */
  private static long mixed(long number) {
    long z = number * 0x9e3779b97f4a7c15L;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
