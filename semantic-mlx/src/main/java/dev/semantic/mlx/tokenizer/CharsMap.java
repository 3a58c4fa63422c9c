package dev.semantic.mlx.tokenizer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Base64;
import java.util.BitSet;
import java.util.Deque;
import java.util.Optional;

/**
 * SentencePiece's map of characters, a {@code precompiled_charsmap}: a trie in a double array (Aoe
 * 1989), and the texts that it leads to. The tokenizer library walks it without looking, and would
 * end the process where it leads nowhere; so each way is walked here first.
 */
final class CharsMap {
  private static final int MOST_UNITS = 1 << 22;

  private final int[] units;
  private final byte[] texts;

  private CharsMap(int[] units, byte[] texts) {
    this.units = units;
    this.texts = texts;
  }

  /** What is wrong with a map; empty if nothing is. */
  static Optional<String> refusal(String base64) {
    if (base64.isEmpty()) {
      return Optional.empty();
    }
    byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(base64);
    } catch (IllegalArgumentException e) {
      return Optional.of("it is not written in base64");
    }
    ByteBuffer all = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    long size = all.remaining() < 4 ? -1 : Integer.toUnsignedLong(all.getInt());
    if (size < 4 || size > all.remaining() || size / 4 > MOST_UNITS) {
      return Optional.of("it says that its trie has %d bytes, of %d".formatted(size, bytes.length));
    }
    int[] units = new int[(int) size / 4];
    all.asIntBuffer().get(units);
    return new CharsMap(units, Arrays.copyOfRange(bytes, 4 + 4 * units.length, bytes.length))
        .refusal();
  }

  private Optional<String> refusal() {
    BitSet seen = new BitSet(units.length);
    Deque<Long> left = new ArrayDeque<>();
    left.push(offset(units[0]));
    while (!left.isEmpty()) {
      long at = left.pop();
      if ((at | 0xff) >= units.length) {
        return Optional.of("a way in its trie leads out of it");
      }
      if (seen.get((int) at)) {
        continue;
      }
      seen.set((int) at);
      for (int c = 1; c < 256; c++) {
        int unit = units[(int) at ^ c];
        if ((unit & 0x800000ff) != c) {
          continue;
        }
        long next = (at ^ c) ^ offset(unit);
        if ((unit >>> 8 & 1) == 1
            && (next >= units.length || !begins(units[(int) next] & 0x7fffffff))) {
          return Optional.of("a way in its trie leads to no text");
        }
        left.push(next);
      }
    }
    return Optional.empty();
  }

  private static long offset(int unit) {
    return (long) (unit >>> 10) << ((unit & (1 << 9)) >>> 6);
  }

  /** Whether a character begins there. */
  private boolean begins(int index) {
    return index == texts.length || (index < texts.length && (texts[index] & 0xc0) != 0x80);
  }
}
