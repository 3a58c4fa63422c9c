package dev.semantic.mlx.text;

import dev.semantic.model.ModelException;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Characters that stand in for others: Unicode's noncharacters and, should they not do, those for
 * private use, as far as no text in question has them.
 */
final class StandIns {
  private static final int[][] RANGES = {{0xfdd0, 0xfdef}, {0xe000, 0xf8ff}};

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
      case String text -> text.chars().filter(c -> c >= 0xe000).forEach(used::set);
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

  char of(char original) {
    return standIns.computeIfAbsent(
        original,
        c -> {
          char standIn = unused();
          originals.put(standIn, c);
          return standIn;
        });
  }

  /** The text with the originals back in their places. */
  String undone(String text) {
    if (originals.isEmpty()) {
      return text;
    }
    StringBuilder undone = new StringBuilder(text);
    for (int i = 0; i < text.length(); i++) {
      Character original = text.charAt(i) < 0xe000 ? null : originals.get(text.charAt(i));
      if (original != null) {
        undone.setCharAt(i, original);
      }
    }
    return undone.toString();
  }
}
