package dev.semantic.mlx.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Python's numbers: integers of any size (long where they fit), doubles, and truth values. */
final class Numbers {
  private static final Pattern DECIMAL =
      Pattern.compile("[+-]?(\\d++\\.?\\d*+|\\.\\d++)([eE][+-]?\\d++)?");
  private static final int LONGEST_TEXT = 4300; // Python's own limit

  private Numbers() {}

  static boolean isNumber(@Nullable Object value) {
    return value instanceof Double || isInteger(value);
  }

  /** Integers in Python include the truth values. */
  static boolean isInteger(@Nullable Object value) {
    return value instanceof Long || value instanceof Boolean || value instanceof BigInteger;
  }

  /** An integer as it is kept: a long where it fits. */
  static Object whole(BigInteger n) {
    return n.bitLength() < Long.SIZE ? (Object) n.longValue() : n;
  }

  /** How many words a number takes; one where it is an ordinary one. */
  static long words(BigInteger n) {
    return n.bitLength() / Integer.SIZE + 1L;
  }

  /** Counts what it takes to multiply or divide two numbers, and the result. */
  static void charge(BigInteger a, BigInteger b) {
    Budget.look(words(a) * words(b));
    Budget.hold((words(a) + words(b)) * Integer.BYTES);
  }

  static BigInteger big(@Nullable Object value) {
    return value instanceof BigInteger n ? n : BigInteger.valueOf(integer(value));
  }

  /** {@code float(value)} of a number. */
  static double number(@Nullable Object value) {
    return switch (value) {
      case Long n -> n;
      case Double d -> d;
      case Boolean b -> b ? 1 : 0;
      case BigInteger n -> {
        double d = n.doubleValue();
        if (Double.isInfinite(d)) {
          throw new TemplateException("The integer is too large to become a float");
        }
        yield d;
      }
      case null, default -> throw new TemplateException(Python.type(value) + " is not a number");
    };
  }

  /** An integer that is used as a size or an index. */
  static long integer(@Nullable Object value) {
    return switch (value) {
      case Long n -> n;
      case Boolean b -> b ? 1 : 0;
      case BigInteger n -> throw new TemplateException("The integer is too large");
      case null, default -> throw new TemplateException(Python.type(value) + " is not an integer");
    };
  }

  /** {@code int(d)}. */
  static Object truncated(double d) {
    if (Double.isNaN(d) || Double.isInfinite(d)) {
      throw new TemplateException("%s is no integer".formatted(Repr.of(d)));
    }
    return whole(new BigDecimal(d).toBigInteger());
  }

  static int compare(Object a, Object b) {
    Budget.look(a instanceof BigInteger || b instanceof BigInteger ? 2048 : 0);
    if (a instanceof Double x && b instanceof Double y) {
      return x < y ? -1 : x > y ? 1 : 0;
    }
    if (isInteger(a) && isInteger(b)) {
      return big(a).compareTo(big(b));
    }
    double x = a instanceof Double d ? d : ((Double) b);
    if (Double.isNaN(x) || Double.isInfinite(x)) {
      int sign = x > 0 ? 1 : -1;
      return a instanceof Double ? sign : -sign;
    }
    return exact(a).compareTo(exact(b));
  }

  static boolean isNan(@Nullable Object value) {
    return value instanceof Double d && Double.isNaN(d);
  }

  private static BigDecimal exact(Object n) {
    return n instanceof Double d ? new BigDecimal(d) : new BigDecimal(big(n));
  }

  static String text(BigInteger n) {
    if (n.bitLength() > LONGEST_TEXT * 3.33) {
      throw new TemplateException("An integer of more than " + LONGEST_TEXT + " digits");
    }
    Budget.text(n.bitLength() / 3);
    Budget.look(4 * words(n) * words(n));
    return n.toString();
  }

  /** {@code int(text, base)}; null if it is none. */
  static @Nullable Object parseInteger(String given, int base) {
    Budget.look(given.length());
    String text = PythonText.strip(given, null, true, true);
    boolean negative = text.startsWith("-");
    String digits = negative || text.startsWith("+") ? text.substring(1) : text;
    if (digits.length() > LONGEST_TEXT) {
      return null;
    }
    Budget.text(digits.length());
    Budget.look((long) digits.length() * digits.length() / 16);
    int prefixed = prefixBase(digits);
    int radix = base == 0 ? Math.max(prefixed, 10) : base;
    if (prefixed == radix && prefixed != 10) {
      digits = digits.substring(2);
      digits = digits.startsWith("_") ? digits.substring(1) : digits;
    }
    boolean zeros = base == 0 && radix == 10 && digits.length() > 1 && digits.startsWith("0");
    if (digits.isEmpty()
        || digits.startsWith("_")
        || digits.endsWith("_")
        || digits.contains("__")
        || digits.startsWith("-")
        || digits.startsWith("+")
        || (zeros && !digits.replace("_", "").matches("0+"))) {
      return null;
    }
    try {
      BigInteger n = new BigInteger(digits.replace("_", ""), radix);
      return whole(negative ? n.negate() : n);
    } catch (NumberFormatException e) {
      return null;
    }
  }

  private static int prefixBase(String digits) {
    String start = digits.length() < 2 ? "" : PythonText.lower(digits.substring(0, 2));
    return switch (start) {
      case "0x" -> 16;
      case "0o" -> 8;
      case "0b" -> 2;
      default -> 10;
    };
  }

  /** Whether underlines stand between two digits only. */
  private static boolean joinsDigits(String text) {
    for (int i = text.indexOf('_'); i >= 0; i = text.indexOf('_', i + 1)) {
      boolean between = i > 0 && i + 1 < text.length();
      if (!between
          || !Character.isDigit(text.charAt(i - 1))
          || !Character.isDigit(text.charAt(i + 1))) {
        return false;
      }
    }
    return true;
  }

  /** {@code float(text)}; null if it is none. */
  static @Nullable Double parseDecimal(String given) {
    Budget.look(16L * given.length());
    String text = PythonText.strip(given, null, true, true);
    Budget.text(text.length());
    String digits = text.replace("_", "");
    if (DECIMAL.matcher(digits).matches() && joinsDigits(text)) {
      return Double.valueOf(digits);
    }
    return switch (PythonText.lower(text)) {
      case "nan", "+nan", "-nan" -> Double.NaN;
      case "inf", "+inf", "infinity", "+infinity" -> Double.POSITIVE_INFINITY;
      case "-inf", "-infinity" -> Double.NEGATIVE_INFINITY;
      default -> null;
    };
  }
}
