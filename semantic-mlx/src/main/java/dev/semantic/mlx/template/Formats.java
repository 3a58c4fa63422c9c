package dev.semantic.mlx.template;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** {@code '%s' % x} and {@code '{}'.format(x)}. */
final class Formats {
  private static final Pattern PERCENT =
      Pattern.compile("%(?:\\((\\w+)\\))?([-+ 0#]*)(\\d*)(?:\\.(\\d+))?([sdifgrxX%])");
  private static final Pattern BRACES = Pattern.compile("\\{\\{|\\}\\}|\\{([^{}]*)\\}");
  private static final int WIDEST = 10_000;

  private Formats() {}

  static String percent(String format, @Nullable Object values) {
    List<? extends @Nullable Object> list =
        values instanceof Python.Tuple many ? many : java.util.Collections.singletonList(values);
    Matcher matcher = PERCENT.matcher(format);
    StringBuilder out = new StringBuilder();
    int next = 0;
    while (matcher.find()) {
      String text = "%";
      if (!matcher.group(5).equals("%")) {
        Object value;
        if (matcher.group(1) != null) {
          value = values instanceof Map<?, ?> map ? map.get(matcher.group(1)) : null;
        } else if (next < list.size()) {
          value = list.get(next++);
        } else {
          throw new TemplateException("Not enough values for '" + format + "'");
        }
        text = one(matcher, value);
      }
      matcher.appendReplacement(out, Matcher.quoteReplacement(text));
    }
    return matcher.appendTail(out).toString();
  }

  private static String one(Matcher matcher, @Nullable Object value) {
    String precision = matcher.group(4);
    String text =
        switch (matcher.group(5)) {
          case "d", "i" -> Long.toString((long) Python.number(value));
          case "f" ->
              String.format(
                  Locale.ROOT,
                  "%." + (precision == null ? 6 : bounded(precision)) + "f",
                  Python.number(value));
          case "g" -> Python.text(value);
          case "x" -> Long.toHexString(Python.integer(value));
          case "X" -> Long.toHexString(Python.integer(value)).toUpperCase(Locale.ROOT);
          case "r" -> Python.repr(value);
          default -> {
            String whole = Python.text(value);
            yield precision == null
                ? whole
                : whole.substring(0, Math.min(whole.length(), bounded(precision)));
          }
        };
    int width = matcher.group(3).isEmpty() ? 0 : bounded(matcher.group(3));
    String padding = " ".repeat(Math.max(0, width - text.length()));
    String flags = matcher.group(2);
    if (flags.contains("0") && "dif".contains(matcher.group(5))) {
      return padding.replace(' ', '0') + text;
    }
    return flags.contains("-") ? text + padding : padding + text;
  }

  private static int bounded(String digits) {
    int value = digits.length() > 5 ? WIDEST + 1 : Integer.parseInt(digits);
    if (value > WIDEST) {
      throw new TemplateException("A width of " + digits);
    }
    return value;
  }

  static String braces(
      String format, List<@Nullable Object> positional, Map<String, @Nullable Object> named) {
    Matcher matcher = BRACES.matcher(format);
    StringBuilder out = new StringBuilder();
    int next = 0;
    while (matcher.find()) {
      String field = matcher.group(1);
      String text;
      if (field == null) {
        text = matcher.group().substring(0, 1);
      } else {
        String name = field.split("[:!]", 2)[0];
        Object value;
        if (name.isEmpty()) {
          value = at(positional, next++, format);
        } else if (name.chars().allMatch(Character::isDigit)) {
          value = at(positional, bounded(name), format);
        } else {
          value = named.get(name);
        }
        text = field.endsWith("!r") ? Python.repr(value) : Python.text(value);
      }
      matcher.appendReplacement(out, Matcher.quoteReplacement(text));
    }
    return matcher.appendTail(out).toString();
  }

  private static @Nullable Object at(List<@Nullable Object> values, int index, String format) {
    if (index >= values.size()) {
      throw new TemplateException("Not enough values for '" + format + "'");
    }
    return values.get(index);
  }
}
