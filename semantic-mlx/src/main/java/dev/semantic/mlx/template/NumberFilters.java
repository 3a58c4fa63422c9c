package dev.semantic.mlx.template;

import java.math.BigDecimal;
import java.math.RoundingMode;
import org.jspecify.annotations.Nullable;

/** The filters that make numbers. */
final class NumberFilters {
  private NumberFilters() {}

  static @Nullable Object integer(@Nullable Object value, Given given) {
    try {
      return value instanceof String text
          ? (Object) whole(text.strip(), (int) Python.integer(given.or(1, "base", 10L)))
          : (Object) (long) Python.number(value);
    } catch (NumberFormatException | TemplateException e) {
      return given.or(0, "default", 0L);
    }
  }

  private static long whole(String text, int base) {
    String digits = text.replace("_", "");
    if (base == 16 && digits.startsWith("0x")) {
      digits = digits.substring(2);
    }
    try {
      return Long.parseLong(digits, base);
    } catch (NumberFormatException e) {
      return (long) Double.parseDouble(text);
    }
  }

  static @Nullable Object decimal(@Nullable Object value, Given given) {
    try {
      return value instanceof String text
          ? Double.valueOf(text.strip())
          : (Object) Python.number(value);
    } catch (NumberFormatException | TemplateException e) {
      return given.or(0, "default", 0.0);
    }
  }

  static Object rounded(@Nullable Object value, Given given) {
    double rounded = rounded(Python.number(value), given);
    boolean stays = value instanceof Long && given.or(1, "method", null) == null;
    return stays ? (Object) (long) rounded : rounded;
  }

  private static double rounded(double value, Given given) {
    double unit = Math.pow(10, (double) Python.integer(given.or(0, "precision", 0L)));
    return switch (Python.text(given.or(1, "method", "common"))) {
      case "ceil" -> Math.ceil(value * unit) / unit;
      case "floor" -> Math.floor(value * unit) / unit;
      // Python rounds the exact value of the double, halves to even
      default ->
          new BigDecimal(value)
              .setScale(
                  (int) Math.clamp(Python.integer(given.or(0, "precision", 0L)), -300L, 300L),
                  RoundingMode.HALF_EVEN)
              .doubleValue();
    };
  }
}
