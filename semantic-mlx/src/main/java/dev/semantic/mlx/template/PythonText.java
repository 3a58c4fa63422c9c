package dev.semantic.mlx.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** Text as Python sees it: counted in code points, with Python's idea of white space and lines. */
final class PythonText {
  private PythonText() {}

  /** {@code str.isspace} of one character; all of them are in Unicode's first plane. */
  static boolean isSpace(int c) {
    return c == ' '
        || (c >= 9 && c <= 13)
        || (c >= 0x1c && c <= 0x1f)
        || c == 0x85
        || (c >= 0xa0 && Character.isSpaceChar(c));
  }

  private static boolean endsLine(char c) {
    return (c >= 10 && c <= 13)
        || (c >= 0x1c && c <= 0x1e)
        || c == 0x85
        || c == 0x2028
        || c == 0x2029;
  }

  static int length(String text) {
    return text.codePointCount(0, text.length());
  }

  /** The position of a code point; before the first and after the last are the ends. */
  static int offset(String text, long index) {
    int length = length(text);
    long from = index < 0 ? index + length : index;
    return text.offsetByCodePoints(0, (int) Math.clamp(from, 0L, length));
  }

  static List<@Nullable Object> characters(String text) {
    Budget.hold(16L * text.length()); // each becomes an object
    List<@Nullable Object> characters = new ArrayList<>(text.length());
    text.codePoints().forEach(c -> characters.add(Character.toString(c)));
    return characters;
  }

  /**
   * {@code str.strip}.
   *
   * @param which the characters that go; null for white space
   */
  static String strip(String text, @Nullable String which, boolean left, boolean right) {
    IntPredicate goes = which == null ? PythonText::isSpace : c -> which.indexOf(c) >= 0;
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

  /**
   * {@code str.split}.
   *
   * @param separator null for white space.
   * @param limit negative for none
   */
  static List<@Nullable Object> split(String text, @Nullable String separator, long limit) {
    List<@Nullable Object> parts = new ArrayList<>();
    if (separator == null) {
      int from = skip(text, 0, true);
      while (from < text.length() && (limit < 0 || parts.size() < limit)) {
        int end = skip(text, from, false);
        parts.add(text.substring(from, end));
        from = skip(text, end, true);
      }
      if (from < text.length()) {
        parts.add(text.substring(from));
      }
      return parts;
    }
    int from = 0;
    int at;
    while ((limit < 0 || parts.size() < limit) && (at = text.indexOf(separator, from)) >= 0) {
      parts.add(text.substring(from, at));
      from = at + separator.length();
    }
    parts.add(text.substring(from));
    return parts;
  }

  private static int skip(String text, int from, boolean space) {
    int at = from;
    while (at < text.length() && isSpace(text.charAt(at)) == space) {
      at++;
    }
    return at;
  }

  /** {@code str.rsplit}: as {@link #split}, but from the end. */
  static List<@Nullable Object> splitFromEnd(String text, @Nullable String separator, long limit) {
    if (limit < 0) {
      return split(text, separator, -1);
    }
    List<@Nullable Object> parts = new ArrayList<>();
    if (separator == null) {
      int to = skipBack(text, text.length(), true);
      while (to > 0 && parts.size() < limit) {
        int from = skipBack(text, to, false);
        parts.add(text.substring(from, to));
        to = skipBack(text, from, true);
      }
      if (to > 0) {
        parts.add(text.substring(0, to));
      }
      Collections.reverse(parts);
      return parts;
    }
    int to = text.length();
    int at;
    while (parts.size() < limit
        && (at = text.lastIndexOf(separator, to - separator.length())) >= 0) {
      parts.add(text.substring(at + separator.length(), to));
      to = at;
    }
    parts.add(text.substring(0, to));
    Collections.reverse(parts);
    return parts;
  }

  private static int skipBack(String text, int to, boolean space) {
    int at = to;
    while (at > 0 && isSpace(text.charAt(at - 1)) == space) {
      at--;
    }
    return at;
  }

  /** {@code str.splitlines}. */
  static List<@Nullable Object> lines(String text, boolean keepEnds) {
    List<@Nullable Object> lines = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < text.length(); i++) {
      if (endsLine(text.charAt(i))) {
        int end = i;
        if (text.startsWith("\r\n", i)) {
          i++;
        }
        lines.add(text.substring(from, keepEnds ? i + 1 : end));
        from = i + 1;
      }
    }
    if (from < text.length()) {
      lines.add(text.substring(from));
    }
    return lines;
  }

  /**
   * {@code str.replace}.
   *
   * @param count negative for all
   */
  static String replace(String text, String old, String fresh, long count) {
    long found = count(text, old);
    long times = count < 0 ? found : Math.min(count, found);
    Budget.hold(text.length() + times * Math.max(0, fresh.length() - old.length()));
    if (times == found && !old.isEmpty()) {
      return text.replace(old, fresh);
    }
    StringBuilder out = new StringBuilder();
    int from = 0;
    for (long i = 0; i < times; i++) {
      int at = old.isEmpty() ? from : text.indexOf(old, from);
      out.append(text, from, at).append(fresh);
      from = at + old.length();
      if (old.isEmpty() && from < text.length()) { // between any two characters
        out.appendCodePoint(text.codePointAt(from));
        from += Character.charCount(text.codePointAt(from));
      }
    }
    return out.append(text.substring(from)).toString();
  }

  static long count(String text, String part) {
    if (part.isEmpty()) {
      return length(text) + 1L;
    }
    long count = 0;
    for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
      count++;
    }
    return count;
  }

  static String join(String between, List<String> parts) {
    Budget.hold(
        (long) between.length() * parts.size() + parts.stream().mapToLong(String::length).sum());
    return String.join(between, parts);
  }

  static String upper(String text) {
    return text.toUpperCase(Locale.ROOT);
  }

  static String lower(String text) {
    return text.toLowerCase(Locale.ROOT);
  }

  /** {@code str.capitalize}. */
  static String capitalize(String text) {
    if (text.isEmpty()) {
      return text;
    }
    int first = Character.charCount(text.codePointAt(0));
    return titleCase(text.codePointAt(0)) + lower(text.substring(first));
  }

  /** {@code str.title}: a word begins where no letter with case stands before. */
  static String title(String text) {
    StringBuilder out = new StringBuilder();
    boolean inWord = false;
    for (int c : text.codePoints().toArray()) {
      out.append(inWord ? lower(Character.toString(c)) : titleCase(c));
      inWord = isCased(c);
    }
    return out.toString();
  }

  private static String titleCase(int c) {
    int title = Character.toTitleCase(c);
    String upper = upper(Character.toString(c));
    // where one becomes several, like "ß", only the first of them is large
    return title == c && upper.length() > Character.charCount(c)
        ? upper.substring(0, 1) + lower(upper.substring(1))
        : Character.toString(title);
  }

  static boolean isCased(int c) {
    return Character.isLowerCase(c) || Character.isUpperCase(c) || Character.isTitleCase(c);
  }

  /** {@code str.isupper} or {@code str.islower}: some letters have case, and all of those it. */
  static boolean hasCase(String text, IntPredicate right) {
    boolean found = false;
    for (int c : text.codePoints().toArray()) {
      if (isCased(c) && !right.test(c)) {
        return false;
      }
      found |= isCased(c);
    }
    return found;
  }

  /** {@code str.ljust}, {@code rjust}, {@code center}. */
  static String pad(String text, long width, String fill, double shareBefore) {
    long missing = Math.max(0, width - length(text));
    Budget.hold(text.length() + missing);
    long before = (long) (missing * shareBefore);
    if (shareBefore == 0.5 && missing % 2 == 1 && width % 2 == 1) {
      before++; // so does Python
    }
    return fill.repeat((int) before) + text + fill.repeat((int) (missing - before));
  }
}
