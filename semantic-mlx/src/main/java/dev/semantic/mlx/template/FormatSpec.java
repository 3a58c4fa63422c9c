package dev.semantic.mlx.template;

import java.math.BigInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What stands after the colon in {@code '{:>10.2f}'}: Python's format specification. */
final class FormatSpec {
  private static final Pattern SPEC =
      Pattern.compile(
          "(?:(.)?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\\d*)([,_])?(?:\\.(\\d+))?([bcdeEfFgGnosxX%])?",
          Pattern.DOTALL);

  private final Matcher spec;

  private FormatSpec(Matcher spec) {
    this.spec = spec;
  }

  static String apply(@Nullable Object value, String text) {
    Budget.hold(256);
    Budget.look(2048);
    if (text.isEmpty()) {
      return Repr.text(value);
    }
    Matcher matcher = SPEC.matcher(text);
    boolean plain = value instanceof String || Numbers.isNumber(value);
    if (!matcher.matches() || !plain) {
      throw new TemplateException(
          "%s cannot be formatted as '%s'".formatted(Python.type(value), text));
    }
    return new FormatSpec(matcher).format(value, text);
  }

  private String format(@Nullable Object value, String text) {
    String letter = spec.group(10);
    if (value instanceof String string) {
      boolean numeric = Stream.of(3, 4, 5, 8).anyMatch(part -> spec.group(part) != null);
      if (numeric || "=".equals(spec.group(2)) || (letter != null && !letter.equals("s"))) {
        throw new TemplateException("A string cannot be formatted as '%s'".formatted(text));
      }
      String cut =
          spec.group(9) == null ? string : PythonText.beginning(string, number(spec.group(9), 0));
      return padded("", cut, "<");
    }
    if ("s".equals(letter)) {
      throw new TemplateException("A number cannot be formatted as '%s'".formatted(text));
    }
    requireGroups(letter, text);
    boolean whole = Numbers.isInteger(value);
    if (whole && (letter == null || "bcdnoxX".contains(letter))) {
      return integer(value, letter == null ? 'd' : letter.charAt(0), text);
    }
    if (letter != null && "bcdoxX".contains(letter)) {
      throw new TemplateException("A float cannot be formatted as '%s'".formatted(text));
    }
    return decimal(Numbers.number(value), letter);
  }

  private void requireGroups(@Nullable String letter, String text) {
    String without = ",".equals(spec.group(8)) ? "bcnoxX" : "cn";
    if (spec.group(8) != null && letter != null && without.contains(letter)) {
      throw new TemplateException("'%s' has digits that cannot be grouped".formatted(text));
    }
  }

  private String integer(@Nullable Object value, char letter, String text) {
    if (spec.group(9) != null
        || spec.group(4) != null
        || (letter == 'c' && spec.group(3) != null)) {
      throw new TemplateException("An integer cannot be formatted as '%s'".formatted(text));
    }
    if (letter == 'c') {
      return padded("", Character.toString((int) Numbers.integer(value)), "<");
    }
    BigInteger n = Numbers.big(value);
    String prefix = spec.group(5) == null || letter == 'd' || letter == 'n' ? "" : "0" + letter;
    String digits = NumberFormat.integer(n.abs(), letter, false);
    return signed(n.signum() < 0, prefix, digits, "", letter == 'd' ? 3 : 4);
  }

  private String decimal(double d, @Nullable String letter) {
    boolean negative = NumberFormat.isNegative(d);
    double size = Math.abs(d);
    int precision = spec.group(9) == null ? 6 : NumberFormat.precision(number(spec.group(9), 6));
    boolean alternate = spec.group(5) != null;
    String text;
    if (letter != null) {
      char kind = letter.equals("n") ? 'g' : letter.charAt(0);
      text = NumberFormat.decimal(size, kind, precision, alternate);
    } else if (spec.group(9) == null) {
      text = Repr.decimal(size);
    } else {
      text = NumberFormat.withPoint(size, precision, alternate);
    }
    int point = 0;
    while (point < text.length() && Character.isDigit(text.charAt(point))) {
      point++;
    }
    boolean zero = text.chars().takeWhile(c -> c != 'e' && c != 'E').noneMatch(c -> c > '0');
    boolean minus = negative && !(zero && spec.group(4) != null);
    return signed(minus, "", text.substring(0, point), text.substring(point), 3);
  }

  private String signed(boolean negative, String prefix, String digits, String rest, int group) {
    String plus = spec.group(3) == null ? "" : spec.group(3);
    String sign = (negative ? "-" : plus.equals("-") ? "" : plus) + prefix;
    String separator = spec.group(8);
    if (separator == null) {
      return padded(sign, digits + rest, ">");
    }
    boolean zeros = fill().equals("0") && align(">").equals("=");
    long room = number(spec.group(7), 0) - sign.length() - rest.length();
    String text =
        NumberFormat.grouped(digits, separator.charAt(0), group, zeros ? Math.max(0, room) : 0);
    return padded(sign, text + rest, ">");
  }

  private String fill() {
    return spec.group(1) != null ? spec.group(1) : spec.group(6) != null ? "0" : " ";
  }

  private String align(String usual) {
    boolean zero = spec.group(6) != null;
    return spec.group(2) != null ? spec.group(2) : zero && usual.equals(">") ? "=" : usual;
  }

  private String padded(String sign, String text, String usual) {
    String fill = fill();
    long width = number(spec.group(7), 0);
    return switch (align(usual)) {
      case "<" -> PythonText.pad(sign + text, width, fill, 0);
      case ">" -> PythonText.pad(sign + text, width, fill, 1);
      case "=" -> sign + PythonText.pad(text, width - sign.length(), fill, 1);
      default -> centred(sign + text, width, fill);
    };
  }

  private static String centred(String text, long width, String fill) {
    long missing = Math.max(0, width - PythonText.length(text));
    String left = PythonText.pad(text, PythonText.length(text) + missing / 2, fill, 1);
    return PythonText.pad(left, width, fill, 0);
  }

  private static long number(String digits, long without) {
    if (digits.length() > 9) {
      throw new TemplateException("A width of " + digits);
    }
    return digits.isEmpty() ? without : Long.parseLong(digits);
  }
}
