package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Python.Callable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** The methods of Python's strings. */
final class StringMethods {
  private StringMethods() {}

  static @Nullable Callable of(String text, String name) {
    return switch (name) {
      case "strip" -> (p, n) -> strip(text, p, true, true);
      case "lstrip" -> (p, n) -> strip(text, p, true, false);
      case "rstrip" -> (p, n) -> strip(text, p, false, true);
      case "split" ->
          (p, n) ->
              split(text, p.isEmpty() ? n.get("sep") : p.getFirst(), limit(p, n.get("maxsplit")));
      case "rsplit" ->
          (p, n) ->
              rsplit(text, p.isEmpty() ? n.get("sep") : p.getFirst(), limit(p, n.get("maxsplit")));
      case "splitlines" -> (p, n) -> lines(text);
      case "startswith" -> (p, n) -> any(p.getFirst(), text.substring(from(text, p))::startsWith);
      case "endswith" -> (p, n) -> any(p.getFirst(), text::endsWith);
      case "replace" ->
          (p, n) ->
              replace(
                  text, string(p, 0), string(p, 1), p.size() > 2 ? Python.integer(p.get(2)) : -1);
      case "upper" -> (p, n) -> text.toUpperCase(Locale.ROOT);
      case "lower", "casefold" -> (p, n) -> text.toLowerCase(Locale.ROOT);
      case "title" -> (p, n) -> title(text);
      case "capitalize" -> (p, n) -> capitalize(text);
      case "find" -> (p, n) -> position(text, text.indexOf(string(p, 0), from(text, p)));
      case "rfind" -> (p, n) -> position(text, text.lastIndexOf(string(p, 0)));
      case "index" ->
          (p, n) -> {
            long at = position(text, text.indexOf(string(p, 0), from(text, p)));
            if (at < 0) {
              throw new TemplateException(Python.repr(p.getFirst()) + " is not in the string");
            }
            return at;
          };
      case "count" -> (p, n) -> count(text.substring(from(text, p)), string(p, 0));
      case "join" ->
          (p, n) -> join(text, Python.items(p.getFirst()).stream().map(Python::text).toList());
      case "format" -> (p, n) -> Formats.braces(text, p, n);
      case "removeprefix" ->
          (p, n) -> text.startsWith(string(p, 0)) ? text.substring(string(p, 0).length()) : text;
      case "removesuffix" ->
          (p, n) ->
              text.endsWith(string(p, 0))
                  ? text.substring(0, text.length() - string(p, 0).length())
                  : text;
      case "zfill" ->
          (p, n) -> {
            int sign = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
            long width = Python.integer(p.getFirst()) - sign;
            return text.substring(0, sign) + pad(text.substring(sign), width, "0", true);
          };
      case "ljust" -> (p, n) -> pad(text, Python.integer(p.getFirst()), fill(p), false);
      case "rjust" -> (p, n) -> pad(text, Python.integer(p.getFirst()), fill(p), true);
      case "partition" ->
          (p, n) -> partition(text, string(p, 0), text.indexOf(string(p, 0)), false);
      case "rpartition" ->
          (p, n) -> partition(text, string(p, 0), text.lastIndexOf(string(p, 0)), true);
      case "isdigit", "isdecimal", "isnumeric" -> (p, n) -> every(text, Character::isDigit);
      case "isalpha" -> (p, n) -> every(text, Character::isLetter);
      case "isalnum" -> (p, n) -> every(text, Character::isLetterOrDigit);
      case "isspace" -> (p, n) -> every(text, Character::isWhitespace);
      case "isupper" -> (p, n) -> isUpper(text);
      case "islower" -> (p, n) -> isLower(text);
      default -> null;
    };
  }

  static boolean isUpper(String text) {
    return !text.equals(text.toLowerCase(Locale.ROOT))
        && text.equals(text.toUpperCase(Locale.ROOT));
  }

  static boolean isLower(String text) {
    return !text.equals(text.toUpperCase(Locale.ROOT))
        && text.equals(text.toLowerCase(Locale.ROOT));
  }

  private static String string(List<@Nullable Object> arguments, int index) {
    if (index < arguments.size() && arguments.get(index) instanceof String text) {
      return text;
    }
    throw new TemplateException("A string method needs a string as argument " + (index + 1));
  }

  /** Where a search begins: the second argument, in code points, negative from the end. */
  private static int from(String text, List<@Nullable Object> arguments) {
    if (arguments.size() < 2 || arguments.get(1) == null) {
      return 0;
    }
    int length = text.codePointCount(0, text.length());
    long start = Python.integer(arguments.get(1));
    return text.offsetByCodePoints(
        0, (int) Math.clamp(start < 0 ? start + length : start, 0L, length));
  }

  private static String fill(List<@Nullable Object> arguments) {
    return arguments.size() > 1 ? string(arguments, 1) : " ";
  }

  private static boolean every(String text, IntPredicate predicate) {
    return !text.isEmpty() && text.codePoints().allMatch(predicate);
  }

  private static boolean any(@Nullable Object options, java.util.function.Predicate<String> holds) {
    return options instanceof String one
        ? holds.test(one)
        : Python.items(options).stream().map(Python::text).anyMatch(holds);
  }

  static String strip(String text, List<@Nullable Object> arguments, boolean left, boolean right) {
    String which =
        arguments.isEmpty() || arguments.getFirst() == null ? null : string(arguments, 0);
    IntPredicate goes = which == null ? StringMethods::isSpace : c -> which.indexOf(c) >= 0;
    int from = 0;
    int to = text.length();
    while (left && from < to && goes.test(text.codePointAt(from))) {
      from += Character.charCount(text.codePointAt(from));
    }
    while (right && to > from && goes.test(text.codePointBefore(to))) {
      to -= Character.charCount(text.codePointBefore(to));
    }
    return text.substring(from, to);
  }

  private static boolean isSpace(int c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
  }

  private static long limit(List<@Nullable Object> positional, @Nullable Object named) {
    Object value = positional.size() > 1 ? positional.get(1) : named;
    return value == null ? -1 : Python.integer(value);
  }

  static List<@Nullable Object> split(String text, @Nullable Object separator, long limit) {
    List<@Nullable Object> parts = new ArrayList<>();
    if (separator == null) {
      String rest = text.stripLeading();
      while (!rest.isEmpty() && (limit < 0 || parts.size() < limit)) {
        int end = 0;
        while (end < rest.length() && !Character.isWhitespace(rest.charAt(end))) {
          end++;
        }
        parts.add(rest.substring(0, end));
        rest = rest.substring(end).stripLeading();
      }
      if (!rest.isEmpty()) {
        parts.add(rest);
      }
      return parts;
    }
    String between = separator(separator);
    int from = 0;
    int at;
    while ((limit < 0 || parts.size() < limit) && (at = text.indexOf(between, from)) >= 0) {
      parts.add(text.substring(from, at));
      from = at + between.length();
    }
    parts.add(text.substring(from));
    return parts;
  }

  private static List<@Nullable Object> rsplit(
      String text, @Nullable Object separator, long limit) {
    if (limit < 0) {
      return split(text, separator, -1);
    }
    if (separator == null) {
      String mirrored = new StringBuilder(text).reverse().toString();
      List<@Nullable Object> found = split(mirrored, null, limit);
      Collections.reverse(found);
      found.replaceAll(part -> new StringBuilder(Python.text(part)).reverse().toString());
      return found;
    }
    String between = separator(separator);
    List<@Nullable Object> parts = new ArrayList<>();
    int to = text.length();
    int at;
    while (parts.size() < limit
        && to - between.length() >= 0
        && (at = text.lastIndexOf(between, to - between.length())) >= 0) {
      parts.add(text.substring(at + between.length(), to));
      to = at;
    }
    parts.add(text.substring(0, to));
    Collections.reverse(parts);
    return parts;
  }

  private static String separator(Object separator) {
    if (separator instanceof String between && !between.isEmpty()) {
      return between;
    }
    throw new TemplateException("A string cannot be split at " + Python.repr(separator));
  }

  private static List<@Nullable Object> lines(String text) {
    return new ArrayList<>(text.lines().toList());
  }

  static String replace(String text, String old, String fresh, long count) {
    Budget.bounded(count(text, old) * fresh.length());
    if (count < 0) {
      return text.replace(old, fresh);
    }
    StringBuilder out = new StringBuilder();
    int from = 0;
    for (long i = 0; i < count; i++) {
      int at = text.indexOf(old, from);
      if (at < 0 || old.isEmpty()) {
        break;
      }
      out.append(text, from, at).append(fresh);
      from = at + old.length();
    }
    return out.append(text.substring(from)).toString();
  }

  static String join(String between, List<String> parts) {
    Budget.bounded(
        (long) between.length() * parts.size() + parts.stream().mapToLong(String::length).sum());
    return String.join(between, parts);
  }

  static String capitalize(String text) {
    if (text.isEmpty()) {
      return text;
    }
    int first = Character.charCount(text.codePointAt(0));
    return text.substring(0, first).toUpperCase(Locale.ROOT)
        + text.substring(first).toLowerCase(Locale.ROOT);
  }

  static String title(String text) {
    StringBuilder out = new StringBuilder();
    boolean inWord = false;
    for (int c : text.codePoints().toArray()) {
      out.appendCodePoint(inWord ? Character.toLowerCase(c) : Character.toTitleCase(c));
      inWord = Character.isLetter(c);
    }
    return out.toString();
  }

  /** Python counts code points. */
  private static long position(String text, int index) {
    return index < 0 ? -1 : text.codePointCount(0, index);
  }

  private static long count(String text, String part) {
    if (part.isEmpty()) {
      return text.codePointCount(0, text.length()) + 1L;
    }
    long count = 0;
    for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
      count++;
    }
    return count;
  }

  private static String pad(String text, long width, String fill, boolean left) {
    int missing = (int) Math.clamp(width - text.codePointCount(0, text.length()), 0L, 10_000L);
    return left ? fill.repeat(missing) + text : text + fill.repeat(missing);
  }

  private static List<@Nullable Object> partition(
      String text, String separator, int at, boolean fromRight) {
    if (at < 0) {
      return new Python.Tuple(
          fromRight ? Arrays.asList("", "", text) : Arrays.asList(text, "", ""));
    }
    return new Python.Tuple(
        Arrays.asList(text.substring(0, at), separator, text.substring(at + separator.length())));
  }
}
