package dev.semantic.mlx.template;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Python's arithmetic, also that of strings and lists. */
final class Arithmetic {
  private static final int LONGEST_REPEAT = 1_000_000;

  private Arithmetic() {}

  static Object apply(String operator, @Nullable Object left, @Nullable Object right) {
    try {
      return switch (operator) {
        case "+" -> add(left, right);
        case "*" -> multiply(left, right);
        case "%" ->
            left instanceof String format
                ? Formats.percent(format, right)
                : numeric(operator, left, right);
        default -> numeric(operator, left, right);
      };
    } catch (ArithmeticException e) {
      throw new TemplateException("%s %s %s: %s".formatted(left, operator, right, e.getMessage()));
    }
  }

  private static Object add(@Nullable Object left, @Nullable Object right) {
    if (left instanceof String a && right instanceof String b) {
      return a + b;
    }
    if (left instanceof List<?> a && right instanceof List<?> b) {
      List<@Nullable Object> both = new ArrayList<>(a);
      both.addAll(b);
      return left instanceof Python.Tuple ? new Python.Tuple(both) : both;
    }
    return numeric("+", left, right);
  }

  private static Object multiply(@Nullable Object left, @Nullable Object right) {
    if (left instanceof String text && Python.isInteger(right)) {
      return text.repeat(times(text.length(), Python.integer(right)));
    }
    if (right instanceof String && Python.isInteger(left)) {
      return multiply(right, left);
    }
    if (left instanceof List<?> list && Python.isInteger(right)) {
      List<@Nullable Object> all = new ArrayList<>();
      for (int i = times(list.size(), Python.integer(right)); i > 0; i--) {
        all.addAll(list);
      }
      return all;
    }
    return numeric("*", left, right);
  }

  private static int times(int length, long count) {
    if (count > 0 && length * (double) count > LONGEST_REPEAT) {
      throw new TemplateException("A repetition longer than " + LONGEST_REPEAT);
    }
    return (int) Math.max(0, count);
  }

  private static Object numeric(String operator, @Nullable Object left, @Nullable Object right) {
    if (!Python.isNumber(left) || !Python.isNumber(right)) {
      throw new TemplateException(
          "%s and %s cannot be combined with %s"
              .formatted(Python.type(left), Python.type(right), operator));
    }
    if (Python.isInteger(left) && Python.isInteger(right) && !operator.equals("/")) {
      return integral(operator, Python.integer(left), Python.integer(right));
    }
    double a = Python.number(left);
    double b = Python.number(right);
    if (b == 0 && (operator.equals("/") || operator.equals("//") || operator.equals("%"))) {
      throw new ArithmeticException("division by zero");
    }
    return switch (operator) {
      case "+" -> a + b;
      case "-" -> a - b;
      case "*" -> a * b;
      case "/" -> a / b;
      case "//" -> Math.floor(a / b);
      case "%" -> a - b * Math.floor(a / b);
      default -> Math.pow(a, b);
    };
  }

  private static Object integral(String operator, long a, long b) {
    return switch (operator) {
      case "+" -> Math.addExact(a, b);
      case "-" -> Math.subtractExact(a, b);
      case "*" -> Math.multiplyExact(a, b);
      case "//" -> Math.floorDiv(a, b);
      case "%" -> Math.floorMod(a, b);
      default -> b < 0 ? (Object) Math.pow((double) a, (double) b) : power(a, b);
    };
  }

  private static long power(long base, long exponent) {
    if (exponent > 64 && Math.abs(base) > 1) {
      throw new ArithmeticException("too large a number");
    }
    long result = 1;
    for (long i = 0; i < Math.min(exponent, 65); i++) {
      result = Math.multiplyExact(result, base);
    }
    return exponent > 64 && base == -1 && exponent % 2 == 0 ? 1 : result;
  }
}
