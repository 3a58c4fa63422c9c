package dev.semantic.mlx.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import org.jspecify.annotations.Nullable;

/** The filters that make numbers. */
final class NumberFilters {
  /** What a float's hundreds of decimal digits take. */
  private static final int DECIMAL = 4096;

  private NumberFilters() {}

  static Object absolute(@Nullable Object value) {
    charge(value);
    return Numbers.isInteger(value)
        ? Numbers.whole(Numbers.big(value).abs())
        : Math.abs(Numbers.number(value));
  }

  /** Counts a new number and, of a large one, what it takes to cut it. */
  private static void charge(@Nullable Object value) {
    Budget.hold(24);
    if (value instanceof BigInteger n) {
      Numbers.charge(n, n);
    }
  }

  private static void refuseMissing(String filter, @Nullable Object value) {
    if (value instanceof Python.Undefined none) {
      throw new TemplateException("%s, so there is no '%s' of it".formatted(none.why(), filter));
    }
  }

  static @Nullable Object integer(@Nullable Object value, Arguments arguments) {
    refuseMissing("int", value);
    charge(value);
    if (value instanceof String text) {
      long base = arguments.integerOr(1, 10);
      boolean usable = base == 0 || (base >= 2 && base <= 36);
      Object whole = usable ? Numbers.parseInteger(text, (int) base) : null;
      if (whole != null) {
        return whole;
      }
      Double decimal = Numbers.parseDecimal(text);
      return decimal != null && !decimal.isNaN() && !decimal.isInfinite()
          ? Numbers.truncated(decimal)
          : arguments.or(0, 0L);
    }
    if (Numbers.isInteger(value)) {
      return Numbers.whole(Numbers.big(value));
    }
    return value instanceof Double d && !d.isNaN() ? Numbers.truncated(d) : arguments.or(0, 0L);
  }

  static @Nullable Object decimal(@Nullable Object value, Arguments arguments) {
    refuseMissing("float", value);
    charge(value);
    if (value instanceof String text) {
      Double decimal = Numbers.parseDecimal(text);
      return decimal == null ? arguments.or(0, 0.0) : decimal;
    }
    return Numbers.isNumber(value) ? (Object) Numbers.number(value) : arguments.or(0, 0.0);
  }

  static Object rounded(@Nullable Object value, Arguments arguments) {
    long precision = arguments.get(0) == null && arguments.has(0) ? 0 : arguments.integerOr(0, 0);
    Object method = arguments.or(1, "common");
    charge(value);
    Budget.look(DECIMAL);
    if ("common".equals(method)) {
      boolean whole = Numbers.isInteger(value);
      if (!whole) {
        return rounded(Numbers.number(value), precision);
      }
      int scale = (int) Math.clamp(precision, -300L, 0L);
      return Numbers.whole(
          new BigDecimal(Numbers.big(value))
              .setScale(scale, RoundingMode.HALF_EVEN)
              .toBigIntegerExact());
    }
    if (!"ceil".equals(method) && !"floor".equals(method)) {
      throw new TemplateException("The filter 'round' knows common, ceil and floor");
    }
    Object unit = Arithmetic.apply("**", 10L, precision);
    Object scaled = Arithmetic.apply("*", value, unit);
    double size = Numbers.number(scaled);
    Object whole =
        Numbers.isInteger(scaled)
            ? scaled
            : Numbers.truncated("ceil".equals(method) ? Math.ceil(size) : Math.floor(size));
    return Numbers.number(Arithmetic.apply("/", whole, unit));
  }

  /** Python rounds the exact value of the double, halves to even. */
  private static double rounded(double value, long precision) {
    if (Double.isNaN(value) || Double.isInfinite(value) || precision > 323) {
      return value;
    }
    double rounded =
        new BigDecimal(value)
            .setScale((int) Math.max(precision, -400), RoundingMode.HALF_EVEN)
            .doubleValue();
    return rounded == 0 ? Math.copySign(0.0, value) : rounded;
  }
}
