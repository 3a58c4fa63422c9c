package dev.semantic.spi;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;

/**
 * How tokens become text: which bytes of UTF-8 each stands for. Plain data, so that it may be had
 * where the tokenizer is not, in another process, say. Immutable; for any thread.
 */
public final class Detokenizer {
  /** Of a model without text: no token stands for anything. */
  public static final Detokenizer NONE =
      new Detokenizer(new byte[0], new int[0], new BitSet(), false);

  private final byte[] bytes;
  private final int[] ends;
  private final BitSet special;
  private final boolean dropsFirstSpace;

  /**
   * A detokenizer for tokens 0 to {@code ends.length - 1}.
   *
   * @param bytes of all tokens, one behind the other
   * @param ends where each one's end there, rising
   * @param special tokens that are no part of a text
   * @param dropsFirstSpace whether the first space of a text is not part of it
   * @throws IllegalArgumentException if these don't belong together
   */
  public Detokenizer(byte[] bytes, int[] ends, BitSet special, boolean dropsFirstSpace) {
    this.bytes = bytes.clone();
    this.ends = ends.clone();
    this.special = (BitSet) special.clone();
    this.dropsFirstSpace = dropsFirstSpace;
    int last = 0;
    for (int end : this.ends) {
      if (end < last) {
        throw new IllegalArgumentException(
            "the tokens' ends must rise: %d, %d".formatted(last, end));
      }
      last = end;
    }
    if (last != bytes.length || special.length() > ends.length) {
      throw new IllegalArgumentException(
          "%d tokens, %d of them special, end at byte %d of %d"
              .formatted(ends.length, special.cardinality(), last, bytes.length));
    }
  }

  /** How many tokens there are. */
  public int tokens() {
    return ends.length;
  }

  /** The bytes of all tokens, one behind the other. */
  public byte[] bytes() {
    return bytes.clone();
  }

  /** Where each token's bytes end in {@link #bytes}. */
  public int[] ends() {
    return ends.clone();
  }

  /** Tokens that are no part of a text. */
  public BitSet special() {
    return (BitSet) special.clone();
  }

  /** Whether the first space of a text is not part of it. */
  public boolean dropsFirstSpace() {
    return dropsFirstSpace;
  }

  /** Text of all tokens; special ones, and those that there are not, are left out. */
  public String decode(int[] tokens) {
    Tokenizer.TokenStream stream = stream(false);
    StringBuilder text = new StringBuilder();
    for (int token : tokens) {
      text.append(stream.next(token));
    }
    return text.append(stream.rest()).toString();
  }

  /**
   * Turns a stream of tokens into a stream of text.
   *
   * @param keepSpecial whether special tokens show as they are written, or not at all
   */
  public Tokenizer.TokenStream stream(boolean keepSpecial) {
    return new Stream(keepSpecial);
  }

  /** Bytes wait until their code point is whole. */
  private final class Stream implements Tokenizer.TokenStream {
    private final boolean keepSpecial;
    private final CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private boolean first = dropsFirstSpace;
    private ByteBuffer pending = ByteBuffer.allocate(0);

    private Stream(boolean keepSpecial) {
      this.keepSpecial = keepSpecial;
    }

    @Override
    public String next(int token) {
      if (token < 0 || token >= ends.length || (special.get(token) && !keepSpecial)) {
        return "";
      }
      int begin = token == 0 ? 0 : ends[token - 1];
      return decode(Arrays.copyOfRange(bytes, begin, ends[token]), false);
    }

    @Override
    public String rest() {
      String text = decode(new byte[0], true);
      decoder.reset();
      return text;
    }

    private String decode(byte[] more, boolean end) {
      ByteBuffer all = ByteBuffer.allocate(pending.remaining() + more.length);
      all.put(pending).put(more).flip();
      CharBuffer text = CharBuffer.allocate(all.remaining() + 2);
      decoder.decode(all, text, end);
      pending = all.slice();
      if (end) {
        decoder.flush(text);
        pending = ByteBuffer.allocate(0);
      }
      String whole = text.flip().toString();
      boolean drop = first && whole.startsWith(" ");
      first &= whole.isEmpty();
      return drop ? whole.substring(1) : whole;
    }
  }
}
