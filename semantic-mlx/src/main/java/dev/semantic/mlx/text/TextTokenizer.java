package dev.semantic.mlx.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.util.Arrays;
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
    long[] ids = tokenizer.encode(whole, false, false).getIds();
    return Arrays.stream(ids, behind ? 1 : 0, ids.length).mapToInt(Math::toIntExact).toArray();
  }

  /**
   * Some models have special tokens among the pieces that text is made of. Cut in two there, it is
   * made of others.
   */
  private int[] around(String text, int token, boolean first) {
    String special = vocabulary.tokens().get(token);
    int at = text.indexOf(special);
    at = at < 0 ? text.indexOf(special.replace('▁', ' ').strip()) : at;
    int middle = at < 0 ? text.length() / 2 : at + 1;
    if (middle >= text.length() || Character.isLowSurrogate(text.charAt(middle))) {
      middle--;
    }
    if (middle < 1) {
      return vocabulary.id("unknown").stream().mapToInt(id -> id).toArray();
    }
    return IntStream.concat(
            IntStream.of(encode(text.substring(0, middle), first)),
            IntStream.of(encode(text.substring(middle), false)))
        .toArray();
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
