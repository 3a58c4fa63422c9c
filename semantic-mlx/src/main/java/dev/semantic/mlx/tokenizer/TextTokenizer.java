package dev.semantic.mlx.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.semantic.model.ModelException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** The tokenizer library's tokenizer, for text without added tokens. */
final class TextTokenizer implements AutoCloseable {
  private final HuggingFaceTokenizer tokenizer;
  private final Vocabulary vocabulary;
  private final String anchor;

  /**
   * Takes a tokenizer over.
   *
   * @param anchor an added token that nobody writes, where text at the very beginning is cut
   *     otherwise than text behind a token; else empty
   */
  TextTokenizer(HuggingFaceTokenizer tokenizer, Vocabulary vocabulary, String anchor) {
    this.tokenizer = tokenizer;
    this.vocabulary = vocabulary;
    this.anchor = anchor;
  }

  /**
   * Tokens of a text, none of them special but the one for what is unknown.
   *
   * @param first whether nothing stands before it
   */
  int[] encode(String text, boolean first) {
    if (text.isEmpty()) {
      return new int[0];
    }
    int[] tokens = raw(text, first);
    for (int token : tokens) {
      if (forbidden(token)) {
        return around(text, token, first);
      }
    }
    return tokens;
  }

  private boolean forbidden(int token) {
    return vocabulary.isSpecial(token) && vocabulary.id("unknown").orElse(-1) != token;
  }

  private int[] raw(String text, boolean first) {
    boolean behind = !first && !anchor.isEmpty();
    String whole = behind ? anchor + text : vocabulary.addsSpace() ? " " + text : text;
    long[] ids = ids(whole);
    return Arrays.stream(ids, behind ? 1 : 0, ids.length).mapToInt(Math::toIntExact).toArray();
  }

  private long[] ids(String text) {
    try {
      return tokenizer.encode(text, false, false).getIds();
    } catch (RuntimeException e) { // from native code, as where it has no token for what is unknown
      throw new ModelException(
          ModelException.Kind.DAMAGED,
          "The model's tokenizer cannot make tokens of this text: " + e.getMessage(),
          e);
    }
  }

  /**
   * Some models have special tokens among the pieces that text is made of. Cut in two wherever one
   * stands, it is made of others.
   */
  private int[] around(String text, int token, boolean first) {
    List<String> parts = cut(text, vocabulary.tokens().get(token));
    if (parts.size() == 1) {
      return vocabulary.id("unknown").stream().mapToInt(id -> id).toArray();
    }
    return IntStream.range(0, parts.size())
        .mapToObj(i -> encode(parts.get(i), first && i == 0))
        .flatMapToInt(Arrays::stream)
        .toArray();
  }

  /** All parts at once, or a text of many would be gone through for each; at least its halves. */
  private static List<String> cut(String text, String token) {
    String plain = text.contains(token) ? token : token.replace('▁', ' ').strip();
    List<String> parts = new ArrayList<>();
    int from = 0;
    int at = plain.isEmpty() ? -1 : text.indexOf(plain);
    while (at >= 0) {
      int cut = boundary(text, at + 1);
      if (cut > from) {
        parts.add(text.substring(from, cut));
        from = cut;
      }
      at = text.indexOf(plain, at + plain.length());
    }
    int middle = boundary(text, text.length() / 2);
    if (from == 0 && middle > 0) {
      parts.add(text.substring(0, middle));
      from = middle;
    }
    parts.add(text.substring(from));
    return parts;
  }

  /** The same place or one before it: within the text, and in no surrogate pair. */
  private static int boundary(String text, int at) {
    boolean outside = at >= text.length() || Character.isLowSurrogate(text.charAt(at));
    return outside ? at - 1 : at;
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
