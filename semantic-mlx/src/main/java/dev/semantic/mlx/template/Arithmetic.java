package dev.semantic.mlx.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Python's arithmetic, also that of strings and lists. */
final class Arithmetic {
  private static final int MOST_BITS = 32_768;

  private Arithmetic() {}

  static @Nullable Object apply(String operator, @Nullable Object left, @Nullable Object right) {
    if (left instanceof Markup || right instanceof Markup) {
      return Markup.apply(operator, left, right);
    }
    return switch (operator) {
      case "+" -> add(left, right);
      case "*" -> multiply(left, right);
      case "%" ->
          left instanceof String format
              ? PercentFormat.of(format, right)
              : numeric(operator, left, right);
      default -> numeric(operator, left, right);
    };
  }

  private static Object add(@Nullable Object left, @Nullable Object right) {
    if (left instanceof String a && right instanceof String b) {
      Budget.text((long) a.length() + b.length());
      return a + b;
    }
    if (left instanceof List<?> a
        && right instanceof List<?> b
        && a instanceof Tuple == b instanceof Tuple) {
      Budget.list(2L * ((long) a.size() + b.size())); // once more as a tuple
      List<@Nullable Object> both = new ArrayList<>(a.size() + b.size());
      both.addAll(a);
      both.addAll(b);
      return left instanceof Tuple ? new Tuple(both) : both;
    }
    return numeric("+", left, right);
  }

  private static Object multiply(@Nullable Object left, @Nullable Object right) {
    if (left instanceof String text && Numbers.isInteger(right)) {
      long count = text.isEmpty() ? 0 : Math.max(0, Numbers.integer(right));
      Budget.many(count, 2L * text.length());
      Budget.text(count * text.length());
      return text.repeat((int) count);
    }
    if (left instanceof List<?> list && Numbers.isInteger(right)) {
      long count = list.isEmpty() ? 0 : Math.max(0, Numbers.integer(right));
      Budget.many(count, 16L * list.size());
      Budget.list(0);
      List<@Nullable Object> all = new ArrayList<>((int) count * list.size());
      for (long i = 0; i < count; i++) {
        all.addAll(list);
      }
      return left instanceof Tuple ? new Tuple(all) : all;
    }
    return (right instanceof String || right instanceof List) && Numbers.isInteger(left)
        ? multiply(right, left)
        : numeric("*", left, right);
  }

  private static Object numeric(String operator, @Nullable Object left, @Nullable Object right) {
    if (!Numbers.isNumber(left) || !Numbers.isNumber(right)) {
      throw new TemplateException(
          "%s and %s cannot be combined with %s"
              .formatted(Python.type(left), Python.type(right), operator));
    }
    boolean divides = operator.equals("/") || operator.equals("//") || operator.equals("%");
    if (divides && Numbers.number(right) == 0) {
      throw new TemplateException("Division by zero");
    }
    Budget.hold(24);
    if (Numbers.isInteger(left) && Numbers.isInteger(right)) {
      return integral(operator, Numbers.big(left), Numbers.big(right));
    }
    double a = Numbers.number(left);
    double b = Numbers.number(right);
    return switch (operator) {
      case "+" -> a + b;
      case "-" -> a - b;
      case "*" -> a * b;
      case "/" -> a / b;
      case "//" -> floorDivide(a, b);
      case "%" -> remainder(a, b);
      default -> power(a, b);
    };
  }

  /** Has the divisor's sign. */
  private static double remainder(double a, double b) {
    double rest = a % b;
    if (rest == 0) {
      return Math.copySign(0.0, b);
    }
    return rest < 0 == b < 0 ? rest : rest + b;
  }

  private static double floorDivide(double a, double b) {
    double quotient = (a - remainder(a, b)) / b;
    if (quotient == 0) {
      return Math.copySign(0.0, a / b);
    }
    double floor = Math.floor(quotient);
    return quotient - floor > 0.5 ? floor + 1 : floor;
  }

  private static double power(double a, double b) {
    double result = Math.pow(a, b);
    boolean finite = !Double.isInfinite(a) && !Double.isInfinite(b);
    if (finite && (Double.isInfinite(result) || (Double.isNaN(result) && !Double.isNaN(a + b)))) {
      throw new TemplateException("%s ** %s is no number".formatted(a, b));
    }
    return result;
  }

  private static Object integral(String operator, BigInteger a, BigInteger b) {
    switch (operator) {
      case "+", "-" -> Budget.hold(Math.max(Numbers.words(a), Numbers.words(b)) * Integer.BYTES);
      default -> Numbers.charge(a, b);
    }
    return switch (operator) {
      case "+" -> bounded(a.add(b));
      case "-" -> bounded(a.subtract(b));
      case "*" -> bounded(a.multiply(b));
      case "/" -> quotient(a, b);
      case "//" -> {
        BigInteger[] both = a.divideAndRemainder(b);
        boolean down = both[1].signum() != 0 && both[1].signum() != b.signum();
        yield bounded(down ? both[0].subtract(BigInteger.ONE) : both[0]);
      }
      case "%" -> {
        BigInteger rest = a.remainder(b);
        boolean other = rest.signum() != 0 && rest.signum() != b.signum();
        yield bounded(other ? rest.add(b) : rest);
      }
      default -> power(a, b);
    };
  }

  private static Object quotient(BigInteger a, BigInteger b) {
    if (a.bitLength() <= 53 && b.bitLength() <= 53) {
      return a.doubleValue() / b.doubleValue();
    }
    double exact = new BigDecimal(a).divide(new BigDecimal(b), new MathContext(60)).doubleValue();
    if (Double.isInfinite(exact)) {
      throw new TemplateException("The quotient is too large for a float");
    }
    return exact;
  }

  private static Object power(BigInteger a, BigInteger b) {
    if (b.signum() < 0) {
      if (a.signum() == 0) {
        throw new TemplateException("Division by zero");
      }
      return power(Numbers.number(a), Numbers.number(b));
    }
    boolean small = a.abs().compareTo(BigInteger.ONE) <= 0;
    if (small) {
      boolean odd = b.testBit(0);
      return b.signum() == 0 || (a.signum() < 0 && !odd) ? 1L : a.longValue();
    }
    if (b.bitLength() > 31 || (long) (a.abs().bitLength() - 1) * b.longValue() > MOST_BITS) {
      throw new TemplateException("%s ** %s is too large a number".formatted(a, b));
    }
    long words = a.bitLength() * b.longValue() / Integer.SIZE + 1; // about MOST_BITS at most
    Budget.look(words * words);
    Budget.hold(words * Integer.BYTES);
    return bounded(a.pow(b.intValue()));
  }

  private static Object bounded(BigInteger n) {
    if (n.bitLength() > MOST_BITS) {
      throw new TemplateException("Too large a number");
    }
    return Numbers.whole(n);
  }

  static Object negated(@Nullable Object value) {
    if (Numbers.isInteger(value)) {
      BigInteger n = Numbers.big(value);
      Budget.hold(24 + Numbers.words(n) * Integer.BYTES);
      return Numbers.whole(n.negate());
    }
    return -Numbers.number(value);
  }
}
