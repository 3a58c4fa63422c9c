package dev.semantic.mlx.tokenizer;

import dev.semantic.spi.Tokenizer;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/** Text from tokens as they come: bytes wait until their code point is whole. */
final class Utf8Stream implements Tokenizer.TokenStream {
  private final TokenBytes tokens;
  private final Vocabulary vocabulary;
  private final boolean keepSpecial;
  private final CharsetDecoder decoder =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPLACE)
          .onUnmappableCharacter(CodingErrorAction.REPLACE);
  private boolean first;
  private ByteBuffer pending = ByteBuffer.allocate(0);

  Utf8Stream(TokenBytes tokens, Vocabulary vocabulary, boolean keepSpecial) {
    this.tokens = tokens;
    this.vocabulary = vocabulary;
    this.keepSpecial = keepSpecial;
    this.first = vocabulary.dropsFirstSpace();
  }

  @Override
  public String next(int token) {
    if (token < 0 || token >= vocabulary.tokens().size()) {
      return "";
    }
    if (vocabulary.isSpecial(token) && !keepSpecial) {
      return "";
    }
    return decode(tokens.of(token), false);
  }

  @Override
  public String rest() {
    String text = decode(new byte[0], true);
    decoder.reset();
    return text;
  }

  private String decode(byte[] more, boolean end) {
    ByteBuffer bytes = ByteBuffer.allocate(pending.remaining() + more.length);
    bytes.put(pending).put(more).flip();
    CharBuffer text = CharBuffer.allocate(bytes.remaining() + 2);
    decoder.decode(bytes, text, end);
    pending = bytes.slice();
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
