package dev.semantic.mlx.text;

import dev.semantic.mlx.text.Trie.Found;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a text at a tokenizer's added tokens as Hugging Face's tokenizers do: the leftmost first, of
 * those the longest; with their flags; and what is looked for in normalized text afterwards, in
 * what the others have left. In time that grows with the text alone.
 */
final class AddedTokens {
  private static final Pattern WORD = Pattern.compile("\\w", Pattern.UNICODE_CHARACTER_CLASS);

  private final Trie<AddedToken> verbatim = new Trie<>();
  private final Trie<AddedToken> normalized = new Trie<>();

  /**
   * A part of a text.
   *
   * @param token null for text between tokens
   */
  record Part(String text, int from, int to, @Nullable AddedToken token) {
    String between() {
      return text.substring(from, to);
    }
  }

  AddedTokens(List<AddedToken> tokens) {
    for (AddedToken token : tokens) {
      (token.normalized() ? normalized : verbatim).put(token.text(), token);
    }
  }

  /**
   * All parts of a text that are not empty, in order.
   *
   * @param searched the text, in which some tokens may be hidden behind other characters: what is
   *     found there counts, and what stands in the text
   */
  List<Part> cut(String text, String searched) {
    List<Part> parts = cut(verbatim, text, searched);
    if (normalized.isEmpty()) {
      return parts;
    }
    List<Part> all = new ArrayList<>();
    for (Part part : parts) {
      if (part.token() == null) {
        // On its own: nothing around it counts for what it holds.
        int from = part.from();
        cut(normalized, part.between(), searched.substring(from, part.to()))
            .forEach(in -> all.add(new Part(text, from + in.from(), from + in.to(), in.token())));
      } else {
        all.add(part);
      }
    }
    return all;
  }

  private static List<Part> cut(Trie<AddedToken> tokens, String text, String searched) {
    List<Part> parts = new ArrayList<>();
    int done = 0;
    for (Found<AddedToken> found = tokens.find(searched, 0);
        found != null;
        found = tokens.find(searched, Math.max(done, found.to()))) {
      AddedToken token = found.value();
      if (token.singleWord() && !alone(text, found.from(), found.to())) {
        continue;
      }
      int from = token.lstrip() ? blanksBefore(text, done, found.from()) : found.from();
      int to = token.rstrip() ? blanksBehind(text, found.to()) : found.to();
      if (done < from) {
        parts.add(new Part(text, done, from, null));
      }
      parts.add(new Part(text, from, to, token));
      done = to;
    }
    if (done < text.length()) {
      parts.add(new Part(text, done, text.length(), null));
    }
    return parts;
  }

  private static boolean alone(String text, int from, int to) {
    return (from == 0 || !isWord(text.codePointBefore(from)))
        && (to == text.length() || !isWord(text.codePointAt(to)));
  }

  private static boolean isWord(int c) {
    return WORD.matcher(Character.toString(c)).matches();
  }

  private static int blanksBefore(String text, int least, int from) {
    int at = from;
    while (at > least && isBlank(text.charAt(at - 1))) {
      at--;
    }
    return at;
  }

  private static int blanksBehind(String text, int to) {
    int at = to;
    while (at < text.length() && isBlank(text.charAt(at))) {
      at++;
    }
    return at;
  }

  /** Unicode's white space, all of it one character long. */
  static boolean isBlank(char c) {
    return c == ' '
        || (c >= '\t' && c <= '\r')
        || c == '\u0085'
        || c == '\u00a0'
        || (c > '\u0fff' && Character.isSpaceChar(c));
  }
}
