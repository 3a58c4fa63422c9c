package dev.semantic.mlx.template;

import org.jspecify.annotations.Nullable;

/**
 * Finds a part in a text again and again, in time that grows with the text and not with the product
 * of both (Knuth, Morris and Pratt 1977), and counts that time as it goes.
 */
final class TextSearch {
  private static final int SHORT = 16;
  private static final int PIECE = 1 << 16;

  private final String text;
  private final String part;
  private final boolean backwards;
  private final int @Nullable [] borders;

  /**
   * @param backwards whether positions count from the end, of the text and of what is found
   */
  TextSearch(String text, String part, boolean backwards) {
    this.text = text;
    this.part = part;
    this.backwards = backwards;
    boolean simple = part.length() <= SHORT && !backwards;
    this.borders = simple || part.length() > text.length() ? null : borders();
  }

  /** The first place of a part; -1 if there is none. */
  static int first(String text, String part) {
    return new TextSearch(text, part, false).next(0);
  }

  /** The last place of a part; -1 if there is none. */
  static int last(String text, String part) {
    int fromEnd = new TextSearch(text, part, true).next(0);
    return fromEnd < 0 ? -1 : text.length() - fromEnd - part.length();
  }

  /** Where the part begins, at {@code from} or behind; -1 if nowhere. */
  int next(int from) {
    if (part.length() > text.length() - from) {
      return -1;
    }
    return borders == null ? inPieces(from) : match(borders, from);
  }

  /** A short part is found fastest by what the JVM has for that, a piece of text at a time. */
  private int inPieces(int from) {
    int last = text.length() - part.length();
    for (int at = from; at <= last; at += Math.min(PIECE, last - at + 1)) {
      int end = Math.min(last - at + 1, PIECE) + at + part.length() - 1;
      int found = text.indexOf(part, at, end);
      Budget.look(1L + (found < 0 ? end : found) - at);
      if (found >= 0) {
        return found;
      }
    }
    return -1;
  }

  private int match(int[] lengths, int from) {
    int matched = 0;
    int counted = from;
    for (int i = from; i < text.length(); i++) {
      if (i - counted == PIECE) {
        Budget.look(4L * PIECE);
        counted = i;
      }
      while (matched > 0 && at(text, i) != at(part, matched)) {
        matched = lengths[matched - 1];
      }
      matched += matched < part.length() && at(text, i) == at(part, matched) ? 1 : 0;
      if (matched == part.length()) {
        Budget.look(4L * (i - counted + 1));
        return i + 1 - matched;
      }
    }
    Budget.look(4L * (text.length() - counted));
    return -1;
  }

  /** For each beginning of the part the length of its longest end that is a beginning, too. */
  private int[] borders() {
    Budget.many(part.length(), Integer.BYTES);
    int[] lengths = new int[part.length()];
    int length = 0;
    for (int i = 1; i < lengths.length; i++) {
      if (i % PIECE == 0) {
        Budget.look(4L * PIECE);
      }
      while (length > 0 && at(part, i) != at(part, length)) {
        length = lengths[length - 1];
      }
      length += at(part, i) == at(part, length) ? 1 : 0;
      lengths[i] = length;
    }
    Budget.look(4L * (lengths.length % PIECE));
    return lengths;
  }

  private char at(String of, int index) {
    return of.charAt(backwards ? of.length() - 1 - index : index);
  }
}
