package dev.semantic.mlx.tokenizer;

import dev.semantic.mlx.tokenizer.Trie.Found;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Keeps what comes from outside from becoming special tokens, whatever a template puts around it. A
 * character of each special token in it, be it whole, or begun at its end, or ended at its
 * beginning, gives its place to one that nobody writes; so no length changes. The template renders
 * that as it renders the values, and in what comes out the special tokens are the template's own.
 *
 * <p>A template that renders something else looks for some of them: {@link GuardedRendering}. What
 * a filter escapes, as {@code tojson} makes an {@code n} of a line's end, is the end of a text to
 * its left and the beginning of one to its right; so are the blanks around a text, which a template
 * may strip. What a template makes anew of a text, in capitals or without the blanks in it, is the
 * template's own.
 */
final class Guard {
  /** What filters and escapes might change. */
  private static final String AVOIDED = "<>&\"'\\";

  private final Trie<String> special;
  private final Trie<String> partly;
  private final Trie<String> reversed;
  private final int longest;
  private final char broken;

  /**
   * For a vocabulary.
   *
   * @param special texts of its special tokens
   * @param others of its other added tokens: what stands around a special one in them is no text
   *     that somebody else may complete, or it would take the special one's place
   */
  Guard(Set<String> special, Set<String> others) {
    this.special = Trie.of(special);
    Set<String> parted = new HashSet<>(special);
    others.stream().filter(this::takesSpecial).forEach(parted::add);
    this.partly = Trie.of(parted);
    this.reversed = Trie.of(parted.stream().map(Guard::reverse).toList());
    this.longest = special.isEmpty() ? 0 : parted.stream().mapToInt(String::length).max().orElse(0);
    this.broken = new StandIns(parted).unused();
  }

  /** Whether it has a special one in it, or may end with the beginning of one. */
  private boolean takesSpecial(String other) {
    return other.length() <= AddedToken.LONGEST_SPECIAL
        && (special.find(other, 0) != null || special.begunAtEnd(other, other.length()) > 0);
  }

  /**
   * A place in a text from outside where a special token stands.
   *
   * @param at the character that is replaced
   * @param from where the token begins
   * @param token its text; empty where only a part of it is here
   */
  record Place(int at, int from, String token) {
    boolean isWhole() {
      return !token.isEmpty();
    }

    int to() {
      return from + Math.max(1, token.length());
    }
  }

  /**
   * Renders values so that it is known which special tokens are the template's own.
   *
   * @param plain what the template makes of the values as they are
   * @param render makes a text of other values
   * @return the text, as long as it was, with special tokens from outside broken
   */
  String broken(
      Map<String, @Nullable Object> values,
      String plain,
      Function<Map<String, @Nullable Object>, String> render) {
    return longest == 0 ? plain : new GuardedRendering(this, values, plain, render).broken();
  }

  /** All places in a text, whole tokens first. */
  List<Place> places(String text) {
    List<Place> places = new ArrayList<>();
    StringBuilder left = new StringBuilder(text);
    Found<String> found = special.find(left, 0);
    while (found != null) {
      int at = replaceable(left, found.from(), found.to());
      places.add(new Place(at, found.from(), found.value()));
      left.setCharAt(at, broken);
      found = special.find(left, found.from()); // a shorter one may begin here, too
    }
    parts(partly, left, false, places);
    parts(reversed, left.reverse(), true, places);
    return places;
  }

  /** Where a text ends, and where a filter may put letters of its own. */
  private void parts(
      Trie<String> tokens, StringBuilder left, boolean backwards, List<Place> places) {
    int stripped = left.length(); // where it ends if a template strips it
    while (stripped > 0 && AddedTokens.isBlank(left.charAt(stripped - 1))) {
      stripped--;
    }
    for (int end = 1; end <= left.length(); end++) {
      if (end >= stripped || isEscaped(left.charAt(end))) {
        parts(tokens, left, end, backwards, places);
      }
    }
  }

  private void parts(
      Trie<String> tokens, StringBuilder left, int end, boolean backwards, List<Place> places) {
    int from = Math.max(0, end - longest + 1);
    int part = tokens.begunAtEnd(left.substring(from, end), longest - 1);
    while (part > 0) {
      int at = replaceable(left, end - part, end);
      int place = backwards ? left.length() - 1 - at : at;
      places.add(new Place(place, place, ""));
      left.setCharAt(at, broken);
      part = tokens.begunAtEnd(left.substring(from, end), longest - 1);
    }
  }

  /**
   * As {@code tojson} writes a line's end as two letters, {@code e} an angle as four, and {@code
   * repr} what cannot be seen by its number.
   */
  private static boolean isEscaped(char c) {
    return c < ' ' || AVOIDED.indexOf(c) >= 0 || (c > '~' && !isSeen(c));
  }

  private static boolean isSeen(char c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.UNASSIGNED,
          Character.PRIVATE_USE,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SPACE_SEPARATOR ->
          false;
      default -> true;
    };
  }

  /** Where a template is least likely to notice. */
  private int replaceable(CharSequence text, int from, int to) {
    int any = from;
    for (int i = to - 1; i >= from; i--) {
      char c = text.charAt(i);
      boolean inert = !Character.isHighSurrogate(c) && AVOIDED.indexOf(c) < 0 && c != broken;
      if (inert && !Character.isLetter(c) && !AddedTokens.isBlank(c)) {
        return i;
      }
      any = inert || text.charAt(any) == broken ? i : any;
    }
    return any;
  }

  private static String reverse(String text) {
    return new StringBuilder(text).reverse().toString();
  }
}
