package dev.semantic.mlx.template;

import java.util.ArrayList;
import java.util.Arrays;
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
    Budget.look(text.length());
    return text.codePointCount(0, text.length());
  }

  /** The position of a code point; before the first and after the last are the ends. */
  static int offset(String text, long index) {
    int length = length(text);
    long from = index < 0 ? index + length : index;
    return text.offsetByCodePoints(0, (int) Math.clamp(from, 0L, length));
  }

  /** The first code points of a text. */
  static String beginning(String text, long count) {
    return part(text, 0, offset(text, count));
  }

  static List<@Nullable Object> characters(String text) {
    Budget.many(text.length(), 64); // each becomes an object
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
    IntPredicate goes = which == null ? PythonText::isSpace : oneOf(which);
    Budget.look(4L * text.length());
    int from = 0;
    int to = text.length();
    while (left && from < to && goes.test(text.codePointAt(from))) {
      from += Character.charCount(text.codePointAt(from));
    }
    while (right && to > from && goes.test(text.codePointBefore(to))) {
      to -= Character.charCount(text.codePointBefore(to));
    }
    return part(text, from, to);
  }

  /** A substring, counted. */
  private static String part(String text, int from, int to) {
    Budget.text(to - from);
    return text.substring(from, to);
  }

  private static IntPredicate oneOf(String characters) {
    Budget.many(characters.length(), Integer.BYTES);
    Budget.look(16L * characters.length());
    int[] sorted = characters.codePoints().sorted().toArray();
    return c -> Arrays.binarySearch(sorted, c) >= 0;
  }

  /**
   * {@code str.split}.
   *
   * @param separator null for white space.
   * @param limit negative for none
   */
  static List<@Nullable Object> split(String text, @Nullable String separator, long limit) {
    Budget.list(0);
    List<@Nullable Object> parts = new ArrayList<>();
    if (separator == null) {
      Budget.look(4L * text.length());
      int from = skip(text, 0, true);
      while (from < text.length() && (limit < 0 || parts.size() < limit)) {
        int end = skip(text, from, false);
        parts.add(item(text, from, end));
        from = skip(text, end, true);
      }
      if (from < text.length()) {
        parts.add(item(text, from, text.length()));
      }
      return parts;
    }
    TextSearch search = new TextSearch(text, separator, false);
    int from = 0;
    int at;
    while ((limit < 0 || parts.size() < limit) && (at = search.next(from)) >= 0) {
      parts.add(item(text, from, at));
      from = at + separator.length();
    }
    parts.add(item(text, from, text.length()));
    return parts;
  }

  /** A substring and its place in a list. */
  private static String item(String text, int from, int to) {
    Budget.many(1, 16);
    return part(text, from, to);
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
    Budget.list(0);
    List<@Nullable Object> parts = new ArrayList<>();
    if (separator == null) {
      Budget.look(4L * text.length());
      int to = skipBack(text, text.length(), true);
      while (to > 0 && parts.size() < limit) {
        int from = skipBack(text, to, false);
        parts.add(item(text, from, to));
        to = skipBack(text, from, true);
      }
      if (to > 0) {
        parts.add(item(text, 0, to));
      }
      Collections.reverse(parts);
      return parts;
    }
    TextSearch search = new TextSearch(text, separator, true);
    int to = text.length();
    int fromEnd;
    while (parts.size() < limit && (fromEnd = search.next(text.length() - to)) >= 0) {
      int end = text.length() - fromEnd;
      parts.add(item(text, end, to));
      to = end - separator.length();
    }
    parts.add(item(text, 0, to));
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
    Budget.list(0);
    Budget.look(4L * text.length());
    List<@Nullable Object> lines = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < text.length(); i++) {
      if (endsLine(text.charAt(i))) {
        int end = i;
        if (text.startsWith("\r\n", i)) {
          i++;
        }
        lines.add(item(text, from, keepEnds ? i + 1 : end));
        from = i + 1;
      }
    }
    if (from < text.length()) {
      lines.add(item(text, from, text.length()));
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
    Budget.many(times, Math.max(0, 2L * (fresh.length() - old.length())));
    long size = text.length() + times * (fresh.length() - old.length());
    Budget.text(size);
    Budget.hold(size); // while it is made
    StringBuilder out = new StringBuilder((int) size);
    TextSearch search = new TextSearch(text, old, false);
    int from = 0;
    for (long i = 0; i < times; i++) {
      int at = old.isEmpty() ? from : search.next(from);
      out.append(text, from, at).append(fresh);
      from = at + old.length();
      if (old.isEmpty() && from < text.length()) { // between any two characters
        out.appendCodePoint(text.codePointAt(from));
        from += Character.charCount(text.codePointAt(from));
      }
    }
    return out.append(text, from, text.length()).toString();
  }

  static long count(String text, String part) {
    if (part.isEmpty()) {
      return length(text) + 1L;
    }
    TextSearch search = new TextSearch(text, part, false);
    long count = 0;
    for (int at = search.next(0); at >= 0; at = search.next(at + part.length())) {
      count++;
    }
    return count;
  }

  static String join(String between, List<String> parts) {
    long length = parts.stream().mapToLong(String::length).sum();
    Budget.text((long) between.length() * Math.max(0, parts.size() - 1) + length);
    return String.join(between, parts);
  }

  static String upper(String text) {
    cased(text);
    return text.toUpperCase(Locale.ROOT);
  }

  static String lower(String text) {
    cased(text);
    return text.toLowerCase(Locale.ROOT);
  }

  private static void cased(String text) {
    Budget.text(text.length());
    Budget.look(8L * text.length());
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
    Budget.text(text.length());
    Budget.many(text.length(), 8);
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
    Budget.look(8L * text.length());
    Budget.many(text.length(), 4);
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
    Budget.text(missing); // once by itself
    Budget.text(text.length() + missing);
    long before = (long) (missing * shareBefore);
    if (shareBefore == 0.5 && missing % 2 == 1 && width % 2 == 1) {
      before++; // so does Python
    }
    return fill.repeat((int) before) + text + fill.repeat((int) (missing - before));
  }
}
