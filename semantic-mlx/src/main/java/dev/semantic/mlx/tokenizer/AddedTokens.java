package dev.semantic.mlx.tokenizer;

import dev.semantic.mlx.tokenizer.Trie.Found;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a text at a tokenizer's added tokens as Hugging Face's tokenizers do: the leftmost first, of
 * those the longest; with their flags; and what is looked for in normalized text afterwards, in
 * what the others have left. In time that grows with the text alone.
 */
final class AddedTokens {
  private static final Pattern WORD = Pattern.compile("\\w", Pattern.UNICODE_CHARACTER_CLASS);

  private final Known verbatim = new Known();
  private final Known normalized = new Known();

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
      (token.normalized() ? normalized : verbatim).put(token);
    }
  }

  /** Tokens that are looked for at a time. */
  private static final class Known {
    private final Trie<AddedToken> special = new Trie<>();
    private final Trie<AddedToken> others = new Trie<>();
    private final Set<String> texts = new HashSet<>();

    /** Of two alike the first counts. */
    void put(AddedToken token) {
      if (texts.add(token.text())) {
        (token.special() ? special : others).put(token.text(), token);
      }
    }

    boolean isEmpty() {
      return texts.isEmpty();
    }
  }

  /** Goes through a text once, for one kind of tokens. */
  private static final class Search {
    private final Trie<AddedToken> tokens;
    private final String text;
    private @Nullable Found<AddedToken> found;

    Search(Trie<AddedToken> tokens, String text) {
      this.tokens = tokens;
      this.text = text;
      this.found = tokens.find(text, 0);
    }

    @Nullable Found<AddedToken> from(int at) {
      if (found != null && found.from() < at) {
        found = tokens.find(text, at);
      }
      return found;
    }
  }

  /**
   * The leftmost, of those the longest; but one that is hidden in part takes no special one's
   * place.
   */
  private static @Nullable Found<AddedToken> first(
      @Nullable Found<AddedToken> special,
      @Nullable Found<AddedToken> other,
      String text,
      String searched) {
    if (special == null || other == null) {
      return special == null ? other : special;
    }
    int from = other.from();
    boolean before = special.from() == from ? special.to() > other.to() : special.from() < from;
    boolean robbed =
        special.from() < other.to() && !text.regionMatches(from, searched, from, other.to() - from);
    return before || robbed ? special : other;
  }

  /**
   * All parts of a text that are not empty, in order.
   *
   * @param searched the text, in which some special tokens may be hidden behind other characters:
   *     those that are found there count; others are those of the text
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

  private static List<Part> cut(Known tokens, String text, String searched) {
    List<Part> parts = new ArrayList<>();
    Search special = new Search(tokens.special, searched);
    Search others = new Search(tokens.others, text);
    int done = 0;
    int next = 0;
    for (Found<AddedToken> found = first(special.from(0), others.from(0), text, searched);
        found != null;
        found = first(special.from(next), others.from(next), text, searched)) {
      AddedToken token = found.value();
      next = found.to();
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
      next = to;
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
