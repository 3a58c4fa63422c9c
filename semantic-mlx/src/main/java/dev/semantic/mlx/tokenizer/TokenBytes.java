package dev.semantic.mlx.tokenizer;

import dev.semantic.spi.Detokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What bytes a token stands for. */
final class TokenBytes {
  private static final Map<Integer, Integer> BYTE_OF = byteLevel();

  private final Vocabulary vocabulary;
  private final boolean byteLevel;

  private TokenBytes(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
    this.byteLevel = vocabulary.byteLevel();
  }

  /**
   * GPT-2's alphabet: printable characters for all bytes, those that are printable for themselves.
   */
  private static Map<Integer, Integer> byteLevel() {
    Map<Integer, Integer> byteOf = new HashMap<>();
    int next = 256;
    for (int b = 0; b < 256; b++) {
      boolean printable = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
      byteOf.put(printable ? b : next++, b);
    }
    return byteOf;
  }

  /** All letters of that alphabet, by their bytes. */
  static List<String> alphabet() {
    String[] letters = new String[256];
    BYTE_OF.forEach((letter, b) -> letters[b] = Character.toString(letter));
    return List.of(letters);
  }

  /** How a vocabulary's tokens become text. */
  static Detokenizer detokenizer(Vocabulary vocabulary) {
    TokenBytes each = new TokenBytes(vocabulary);
    int[] ends = new int[vocabulary.tokens().size()];
    BitSet special = new BitSet();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(8 * ends.length);
    for (int id = 0; id < ends.length; id++) {
      bytes.writeBytes(each.of(id));
      ends[id] = bytes.size();
      special.set(id, vocabulary.isSpecial(id));
    }
    return new Detokenizer(bytes.toByteArray(), ends, special, vocabulary.dropsFirstSpace());
  }

  private byte[] of(int id) {
    String text = vocabulary.tokens().get(id);
    if (vocabulary.isSpecial(id) || vocabulary.isUserDefined(id)) {
      return plain(text);
    }
    if (byteLevel) {
      return fromByteLevel(text);
    }
    if (vocabulary.isByte(id)) {
      return new byte[] {(byte) Integer.parseInt(text.substring(3, 5), 16)}; // <0x0A>
    }
    return plain(text);
  }

  private byte[] plain(String text) {
    return (byteLevel ? text : text.replace('▁', ' ')).getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] fromByteLevel(String text) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length());
    text.codePoints()
        .forEach(
            c -> {
              Integer b = BYTE_OF.get(c);
              if (b != null) {
                bytes.write(b);
              } else {
                bytes.writeBytes(Character.toString(c).getBytes(StandardCharsets.UTF_8));
              }
            });
    return bytes.toByteArray();
  }
}
