package dev.semantic.mlx.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import org.jspecify.annotations.Nullable;

/** Numbers as Python's {@code %} and {@code format} write them, without sign and padding. */
final class NumberFormat {
  private static final int MOST_DIGITS = 1000;

  /** What the digits of any float take, of which the longest have hundreds. */
  private static final int DIGITS = 16_384;

  private NumberFormat() {}

  static int precision(long given) {
    if (given > MOST_DIGITS) {
      throw new TemplateException("A precision of more than " + MOST_DIGITS);
    }
    return (int) given;
  }

  /** An integer's digits in the base that the letter names. */
  static String integer(BigInteger size, char letter, boolean alternate) {
    Budget.text(letter == 'd' ? 0 : size.bitLength());
    Budget.look(letter == 'd' ? 0 : Numbers.words(size) * Numbers.words(size));
    return switch (letter) {
      case 'x' -> (alternate ? "0x" : "") + size.toString(16);
      case 'X' -> (alternate ? "0X" : "") + PythonText.upper(size.toString(16));
      case 'o' -> (alternate ? "0o" : "") + size.toString(8);
      case 'b' -> (alternate ? "0b" : "") + size.toString(2);
      default -> Numbers.text(size);
    };
  }

  /** A number of no sign as {@code e}, {@code f}, {@code g} or {@code %} write it. */
  static String decimal(double size, char letter, int precision, boolean alternate) {
    boolean upper = Character.isUpperCase(letter);
    Budget.hold(4L * precision);
    Budget.look(DIGITS + 32L * precision);
    if (Double.isNaN(size) || Double.isInfinite(size)) {
      String text = Double.isNaN(size) ? "nan" : "inf";
      return (upper ? PythonText.upper(text) : text) + (letter == '%' ? "%" : "");
    }
    String text =
        switch (Character.toLowerCase(letter)) {
          case 'f' -> fixed(new BigDecimal(size), precision, alternate);
          case '%' -> fixed(new BigDecimal(size * 100), precision, alternate) + "%";
          case 'e' -> scientific(new BigDecimal(size), precision, alternate);
          default -> general(size, Math.max(1, precision), alternate, 0);
        };
    return upper ? PythonText.upper(text) : text;
  }

  private static String fixed(BigDecimal size, int precision, boolean alternate) {
    String text = size.setScale(precision, RoundingMode.HALF_EVEN).toPlainString();
    return alternate && precision == 0 ? text + "." : text;
  }

  private static String scientific(BigDecimal size, int precision, boolean alternate) {
    BigDecimal rounded = size.round(new MathContext(precision + 1, RoundingMode.HALF_EVEN));
    String digits = rounded.unscaledValue().toString();
    int exponent = rounded.signum() == 0 ? 0 : digits.length() - 1 - rounded.scale();
    String padded = digits + "0".repeat(Math.max(0, precision + 1 - digits.length()));
    String rest = padded.substring(1, precision + 1);
    String point = rest.isEmpty() && !alternate ? "" : ".";
    return "%s%s%se%s%02d"
        .formatted(padded.charAt(0), point, rest, exponent < 0 ? "-" : "+", Math.abs(exponent));
  }

  /** With a precision and no letter: as {@code g}, but with a digit after the point. */
  static String withPoint(double size, int precision, boolean alternate) {
    if (Double.isNaN(size) || Double.isInfinite(size)) {
      return decimal(size, 'g', precision, alternate);
    }
    String text = general(size, Math.max(1, precision), alternate, 1);
    return text.indexOf('.') < 0 && text.indexOf('e') < 0 ? text + ".0" : text;
  }

  private static String general(double size, int precision, boolean alternate, int room) {
    BigDecimal exact = new BigDecimal(size);
    String scientific = scientific(exact, precision - 1, alternate);
    int exponent = Integer.parseInt(scientific.substring(scientific.indexOf('e') + 1));
    if (exponent < -4 || exponent >= precision - room) {
      int e = scientific.indexOf('e');
      return unpadded(scientific.substring(0, e), alternate) + scientific.substring(e);
    }
    return unpadded(fixed(exact, precision - 1 - exponent, alternate), alternate);
  }

  private static String unpadded(String text, boolean alternate) {
    return alternate || text.indexOf('.') < 0
        ? text
        : text.replaceFirst("0+$", "").replaceFirst("\\.$", "");
  }

  static boolean isNegative(@Nullable Object number) {
    return number instanceof Double d
        ? d < 0 || (d == 0 && 1 / d < 0)
        : Numbers.big(number).signum() < 0;
  }

  /**
   * {@code ,} or {@code _} between every three digits (four where the base is a power of two).
   *
   * @param width is reached with zeros, which are grouped, too
   */
  static String grouped(String digits, char separator, int size, long width) {
    Budget.many(Math.max(width, digits.length()), 8);
    long wanted = width - width / (size + 1) + (width % (size + 1) == 0 ? 1 : 0);
    StringBuilder out = new StringBuilder();
    for (long i = Math.max(wanted, digits.length()); i > 0; i--) {
      out.append(i > digits.length() ? '0' : digits.charAt(digits.length() - (int) i));
      if (i > 1 && i % size == 1) {
        out.append(separator);
      }
    }
    return out.toString();
  }
}
