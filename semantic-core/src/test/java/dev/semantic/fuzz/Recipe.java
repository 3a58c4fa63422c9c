package dev.semantic.fuzz;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/** Choices, one after the other, taken from bytes; zero where there are no more. */
public final class Recipe {
  private static final long[] NUMBERS = {
    0,
    1,
    -1,
    2,
    7,
    31,
    32,
    33,
    255,
    256,
    4096,
    65_535,
    65_536,
    1 << 20,
    1 << 24,
    1 << 30,
    Integer.MAX_VALUE - 8,
    Integer.MAX_VALUE,
    Integer.MIN_VALUE,
    1L << 31,
    1L << 32,
    1L << 40,
    1L << 62,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    -8
  };

  private final byte[] bytes;
  private int at;

  public Recipe(byte[] bytes) {
    this.bytes = bytes;
  }

  /** Whether there are choices left. */
  public boolean goesOn() {
    return at < bytes.length;
  }

  private int next() {
    return at < bytes.length ? bytes[at++] & 0xff : 0;
  }

  /** A number from zero, below a bound. */
  public int below(int bound) {
    if (bound <= 1) {
      return 0;
    }
    int value = next();
    for (int reach = 256; reach < bound && reach > 0; reach <<= 8) {
      value = value << 8 | next();
    }
    return Math.floorMod(value, bound);
  }

  public boolean sometimes(int outOf) {
    return below(outOf) == outOf - 1;
  }

  public <T> T one(List<T> all) {
    return all.get(below(all.size()));
  }

  /** One that is likely to be wrong, or next to another. */
  public long number(long now) {
    return switch (below(4)) {
      case 0 -> now + 1;
      case 1 -> now - 1;
      case 2 -> now * (below(4) + 2);
      default -> NUMBERS[below(NUMBERS.length)];
    };
  }

  /** A few letters; anything may be among them. */
  public String text() {
    int length = below(12);
    byte[] text = new byte[length];
    for (int i = 0; i < length; i++) {
      text[i] = (byte) next();
    }
    return new String(text, StandardCharsets.UTF_8);
  }

  /** Bytes that were changed without any regard for what they mean. */
  public byte[] bent(byte[] good) {
    byte[] bad = good.clone();
    if (bad.length == 0) {
      return bad;
    }
    int from = below(bad.length);
    switch (below(4)) {
      case 0 -> bad[from] = (byte) next();
      case 1 -> bad[from] ^= (byte) (1 << below(8));
      case 2 -> bad = Arrays.copyOf(bad, from);
      default -> {
        int length = Math.min(below(64) + 1, bad.length - from);
        System.arraycopy(good, below(bad.length - length + 1), bad, from, length);
      }
    }
    return bad;
  }
}
