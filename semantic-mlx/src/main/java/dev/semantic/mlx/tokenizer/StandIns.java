package dev.semantic.mlx.tokenizer;

import dev.semantic.model.ModelException;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Characters that stand in for others, as far as no text in question has them: signs that filters
 * leave as they are and that {@code repr} writes as they are, Braille's and those that boxes are
 * drawn with, and, should they not do, Unicode's noncharacters and those for private use.
 */
final class StandIns {
  private static final int[][] RANGES = {
    {0x2801, 0x28ff}, {0x2500, 0x259f}, {0xfdd0, 0xfdef}, {0xe000, 0xf8ff}
  };

  private static final int LEAST = 0x2500;

  private final BitSet used = new BitSet();
  private final Map<Character, Character> standIns = new HashMap<>();
  private final Map<Character, Character> originals = new HashMap<>();

  /**
   * For texts.
   *
   * @param texts texts, and maps and lists of them
   */
  StandIns(@Nullable Object texts) {
    use(texts);
  }

  private void use(@Nullable Object value) {
    switch (value) {
      case String text -> text.chars().filter(c -> c >= LEAST).forEach(used::set);
      case Map<?, ?> map -> {
        use(map.keySet());
        use(map.values());
      }
      case Collection<?> many -> many.forEach(this::use);
      case null, default -> {}
    }
  }

  /** One that none of the texts has, and that stands for nothing. */
  char unused() {
    for (int[] range : RANGES) {
      int free = used.nextClearBit(range[0]);
      if (free <= range[1]) {
        used.set(free);
        return (char) free;
      }
    }
    throw new ModelException(
        ModelException.Kind.INVALID,
        "The messages hold each of Unicode's characters for private use; leave one out");
  }

  /** For the second half of a pair another one, so that it is one character still. */
  char of(char original) {
    return standIns.computeIfAbsent(
        original,
        c -> {
          char standIn = Character.isLowSurrogate(c) ? near(c) : unused();
          originals.put(standIn, c);
          return standIn;
        });
  }

  /** What stands next to a character is likely to be seen where that is. */
  private char near(char low) {
    int before = used.previousClearBit(low);
    int behind = used.nextClearBit(low);
    int free = low - before < behind - low ? before : behind;
    if (!Character.isLowSurrogate((char) free)) {
      return unused();
    }
    used.set(free);
    return (char) free;
  }

  /** The text with the originals back in their places. */
  String undone(String text) {
    if (originals.isEmpty()) {
      return text;
    }
    StringBuilder undone = new StringBuilder(text);
    for (int i = 0; i < text.length(); i++) {
      Character original = text.charAt(i) < LEAST ? null : originals.get(text.charAt(i));
      if (original != null) {
        undone.setCharAt(i, original);
      }
    }
    return undone.toString();
  }
}
