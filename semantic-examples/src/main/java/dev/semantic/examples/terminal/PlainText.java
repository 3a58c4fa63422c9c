package dev.semantic.examples.terminal;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Text that says something to people and nothing to their terminal. What a model answers, and what
 * strangers call their models, files and agents, may hold characters that move the cursor, set the
 * clipboard or turn the direction of what follows; here a question mark takes their place.
 */
public final class PlainText {
  private static final int LONGEST_CHARACTER = 4;

  private PlainText() {}

  /** Line ends and tabs are left; everything else that steers is not. */
  static boolean steers(int character) {
    return switch (Character.getType(character)) {
      case Character.CONTROL -> character != '\n' && character != '\t';
      case Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> true;
      case Character.FORMAT -> turns(character);
      default -> false;
    };
  }

  /** Unicode's Bidi_Control; what joins the parts of a letter or of an emoji is none. */
  private static boolean turns(int character) {
    return character == 0x061C
        || character == 0x200E
        || character == 0x200F
        || (character >= 0x202A && character <= 0x202E)
        || (character >= 0x2066 && character <= 0x2069);
  }

  /** The same text, with a question mark for each character that steers; lines end by \n. */
  public static String of(String text) {
    return text.codePoints()
        .filter(character -> character != '\r')
        .map(character -> steers(character) ? '?' : character)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  /** The same of a name, or whatever else is a part of a line: neither does it end the line. */
  public static String name(@Nullable Object name) {
    return String.valueOf(name).replaceAll("\\p{Cc}|\\p{Cf}|\\p{Zl}|\\p{Zp}", "?");
  }

  /**
   * The same JSON, with escapes for what steers: only in strings can there be any. Whoever reads it
   * gets exactly what was written.
   */
  public static String ofJson(String json) {
    StringBuilder plain = new StringBuilder(json.length());
    for (int i = 0; i < json.length(); i++) {
      char character = json.charAt(i);
      if (steers(character)) {
        plain.append(String.format("\\u%04x", (int) character));
      } else {
        plain.append(character);
      }
    }
    return plain.toString();
  }

  /** A stream of UTF-8 that lets nothing through that steers. */
  static OutputStream to(OutputStream terminal) {
    return new Door(terminal);
  }

  /** Looks at each character once its last byte is there. */
  private static final class Door extends FilterOutputStream {
    private final byte[] character = new byte[LONGEST_CHARACTER];
    private int held;
    private int length;

    private Door(OutputStream out) {
      super(out);
    }

    @Override
    public synchronized void write(int octet) throws IOException {
      boolean continues = (octet & 0xC0) == 0x80;
      if (held > 0 && !continues) {
        held = 0;
        out.write('?'); // half a character
      }
      if (held == 0) {
        length = length(octet);
      }
      if (length == 0) {
        out.write('?');
        return;
      }
      character[held++] = (byte) octet;
      if (held == length) {
        held = 0;
        pass();
      }
    }

    private void pass() throws IOException {
      int decoded =
          length == 1
              ? character[0]
              : new String(Arrays.copyOf(character, length), StandardCharsets.UTF_8).codePointAt(0);
      if (steers(decoded) && decoded != '\r') {
        out.write('?');
      } else if (decoded != '\r') {
        out.write(character, 0, length);
      }
    }

    /** Bytes of the character that begins so; 0 if none does. */
    private static int length(int first) {
      int octet = first & 0xFF;
      if (octet < 0x80) {
        return 1;
      }
      if (octet < 0xC2 || octet > 0xF4) {
        return 0;
      }
      return octet < 0xE0 ? 2 : octet < 0xF0 ? 3 : 4;
    }
  }
}
