package dev.semantic.memory;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A number of bytes that prints as people read it.
 *
 * @param bytes not negative
 */
public record ByteSize(long bytes) implements Comparable<ByteSize> {
  public static final ByteSize ZERO = new ByteSize(0);

  private static final Pattern TEXT =
      Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*([KMGT]?)(i?)B?", Pattern.CASE_INSENSITIVE);
  private static final String UNITS = "KMGT";

  public ByteSize {
    if (bytes < 0) {
      throw new IllegalArgumentException("A size must not be negative: " + bytes);
    }
  }

  public static ByteSize ofMiB(long mebibytes) {
    return new ByteSize(Math.multiplyExact(mebibytes, 1L << 20));
  }

  public static ByteSize ofGiB(long gibibytes) {
    return new ByteSize(Math.multiplyExact(gibibytes, 1L << 30));
  }

  /** Reads {@code 512MiB}, {@code 1.5 GB}, {@code 4096}; units without an {@code i} are decimal. */
  public static ByteSize parse(String text) {
    Matcher matcher = TEXT.matcher(text.strip());
    if (!matcher.matches()) {
      throw new IllegalArgumentException("Not a size: '" + text + "'; write for example 512MiB");
    }
    int power = matcher.group(2).isEmpty() ? 0 : 1 + unit(matcher.group(2));
    double base = matcher.group(3).isEmpty() ? 1000 : 1024;
    double bytes = Double.parseDouble(matcher.group(1)) * Math.pow(base, power);
    if (bytes >= Long.MAX_VALUE) {
      throw new IllegalArgumentException("Too large a size: '" + text + "'");
    }
    return new ByteSize((long) bytes);
  }

  private static int unit(String letter) {
    return UNITS.indexOf(letter.toUpperCase(Locale.ROOT));
  }

  public ByteSize plus(ByteSize other) {
    return new ByteSize(Math.addExact(bytes, other.bytes));
  }

  @Override
  public int compareTo(ByteSize other) {
    return Long.compare(bytes, other.bytes);
  }

  /** Binary units with one decimal: {@code 93.8 MiB}. */
  @Override
  public String toString() {
    if (bytes < 1024) {
      return bytes + " B";
    }
    double value = bytes;
    int power = -1;
    while (value >= 1024 && power < UNITS.length() - 1) {
      value /= 1024;
      power++;
    }
    return String.format(Locale.ROOT, "%.1f %siB", value, UNITS.charAt(power));
  }
}
