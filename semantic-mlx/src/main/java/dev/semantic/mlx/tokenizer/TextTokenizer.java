package dev.semantic.mlx.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.semantic.model.ModelException;
import java.util.Arrays;

/** The tokenizer library's tokenizer, for text without added tokens. */
final class TextTokenizer implements AutoCloseable {
  private final HuggingFaceTokenizer tokenizer;
  private final boolean addsSpace;
  private final String anchor;

  /**
   * Takes a tokenizer over, which has no special token that text could be made of.
   *
   * @param addsSpace whether text is put behind a space before it is cut
   * @param anchor an added token that nobody writes, where text at the very beginning is cut
   *     otherwise than text behind a token; else empty
   */
  TextTokenizer(HuggingFaceTokenizer tokenizer, boolean addsSpace, String anchor) {
    this.tokenizer = tokenizer;
    this.addsSpace = addsSpace;
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
    boolean behind = !first && !anchor.isEmpty();
    String whole = behind ? anchor + text : addsSpace ? " " + text : text;
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

  @Override
  public void close() {
    tokenizer.close();
  }
}
