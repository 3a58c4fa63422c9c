package dev.semantic.mlx.template;

import java.math.BigInteger;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** {@code '%s' % x}. */
final class PercentFormat {
  private static final Pattern FIELD =
      Pattern.compile(
          "%(?:\\(([^()]*)\\))?([-+ 0#]*)(\\*|\\d*)(?:\\.(\\*|\\d*))?[hlL]?(.?)", Pattern.DOTALL);

  private static final int FIELD_COST = 512;

  private final String format;
  private final @Nullable Object values;
  private int next;
  private boolean named;

  private PercentFormat(String format, @Nullable Object values) {
    this.format = format;
    this.values = values;
  }

  static String of(String format, @Nullable Object values) {
    return new PercentFormat(format, values).run();
  }

  private String run() {
    Budget.many(format.length(), 4);
    Budget.look(16L * format.length());
    Matcher field = FIELD.matcher(format);
    StringBuilder out = new StringBuilder();
    int from = 0;
    while (field.find(from)) {
      out.append(format, from, field.start());
      String text = field.group(5).equals("%") ? "%" : field(field);
      Budget.many(text.length() + 16L, 4);
      Budget.look(FIELD_COST);
      out.append(text);
      from = field.end();
    }
    boolean mapping =
        values instanceof Dict
            || values instanceof Range
            || (values instanceof List && !(values instanceof Tuple));
    boolean left = values instanceof Tuple tuple ? next < tuple.size() : next == 0 && !mapping;
    if (left && !named && !(values instanceof Python.Undefined)) {
      throw new TemplateException("'%s' has no place for all the values".formatted(format));
    }
    return out.append(format, from, format.length()).toString();
  }

  private @Nullable Object value() {
    int size = values instanceof Tuple many ? many.size() : 1;
    if (next >= size) {
      throw new TemplateException("Not enough values for '" + format + "'");
    }
    next++;
    return values instanceof Tuple tuple ? tuple.get(next - 1) : values;
  }

  private @Nullable Object named(String name) {
    named = true;
    if (!(values instanceof Dict map)) {
      throw new TemplateException("'" + format + "' needs a mapping");
    }
    if (!map.containsKey(name)) {
      throw new TemplateException("'%s' finds no '%s'".formatted(format, name));
    }
    return map.get(name);
  }

  private String field(Matcher field) {
    @Nullable Object byName = field.group(1) == null ? null : named(field.group(1));
    String flags = field.group(2);
    long width = number(field.group(3), 0);
    if (width < 0) {
      flags += "-";
      width = -width;
    }
    long precision = field.group(4) == null ? -1 : Math.max(0, number(field.group(4), 0));
    if (field.group(5).isEmpty()) {
      throw new TemplateException("'" + format + "' ends within a field");
    }
    Object value = field.group(1) == null ? value() : byName;
    char letter = field.group(5).charAt(0);
    return switch (letter) {
      case 's' -> padded("", cut(Repr.text(value), precision), flags.replace("0", ""), width);
      case 'r', 'a' -> padded("", cut(Repr.of(value), precision), flags.replace("0", ""), width);
      case 'c' -> padded("", character(value), flags.replace("0", ""), width);
      case 'd', 'i', 'u' -> whole(decimal(value), 'd', flags, width, precision);
      case 'x', 'X', 'o' -> {
        if (!Numbers.isInteger(value)) {
          throw new TemplateException(
              "%%%s needs an integer, not %s".formatted(letter, Python.type(value)));
        }
        yield whole(Numbers.big(value), letter, flags, width, precision);
      }
      case 'e', 'E', 'f', 'F', 'g', 'G' -> {
        double d = Numbers.number(value);
        int digits = precision < 0 ? 6 : NumberFormat.precision(precision);
        String text = NumberFormat.decimal(Math.abs(d), letter, digits, flags.contains("#"));
        yield padded(sign(NumberFormat.isNegative(d), flags), text, flags, width);
      }
      default -> throw new TemplateException("'%s' has no field %%%s".formatted(format, letter));
    };
  }

  private long number(String digits, long without) {
    if (digits.equals("*")) {
      return Numbers.integer(value());
    }
    if (digits.length() > 9) {
      throw new TemplateException("A width of " + digits);
    }
    return digits.isEmpty() ? without : Long.parseLong(digits);
  }

  private static BigInteger decimal(@Nullable Object value) {
    return value instanceof Double d
        ? Numbers.big(Numbers.truncated(d))
        : Numbers.isInteger(value)
            ? Numbers.big(value)
            : BigInteger.valueOf((long) Numbers.number(value)); // says that it is no number
  }

  private static String whole(BigInteger n, char letter, String flags, long width, long precision) {
    String digits = NumberFormat.integer(n.abs(), letter, false);
    String zeros = "0".repeat(NumberFormat.precision(Math.max(0, precision - digits.length())));
    String prefix = !flags.contains("#") || letter == 'd' ? "" : "0" + letter;
    return padded(sign(n.signum() < 0, flags) + prefix, zeros + digits, flags, width);
  }

  private static String sign(boolean negative, String flags) {
    return negative ? "-" : flags.contains("+") ? "+" : flags.contains(" ") ? " " : "";
  }

  private static String character(@Nullable Object value) {
    if (value instanceof String text && PythonText.length(text) == 1) {
      return text;
    }
    if (value instanceof Boolean b) {
      return Character.toString(b ? 1 : 0);
    }
    if (value instanceof Long n && n >= 0 && n <= Character.MAX_CODE_POINT) {
      return Character.toString((int) (long) n);
    }
    throw new TemplateException("%c needs one character, not " + Python.type(value));
  }

  private static String cut(String text, long precision) {
    return precision < 0 || precision >= PythonText.length(text)
        ? text
        : PythonText.beginning(text, precision);
  }

  private static String padded(String sign, String text, String flags, long width) {
    if (flags.contains("-")) {
      return PythonText.pad(sign + text, width, " ", 0);
    }
    return flags.contains("0")
        ? sign + PythonText.pad(text, width - sign.length(), "0", 1)
        : PythonText.pad(sign + text, width, " ", 1);
  }
}
