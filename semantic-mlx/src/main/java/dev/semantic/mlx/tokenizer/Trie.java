package dev.semantic.mlx.tokenizer;

import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Many texts at once: which is the longest that begins at a place. That takes as many steps as the
 * longest has characters, however many there are; mostly one, for few characters begin a text.
 */
final class Trie<T> {
  private final Map<Long, Integer> next = new HashMap<>();
  private final Map<Integer, T> values = new HashMap<>();
  private final BitSet firsts = new BitSet();

  /** A text that was found, and what it stands for. */
  record Found<T>(T value, int from, int to) {}

  /** Of two alike the first counts. */
  void put(String text, T value) {
    int node = 0;
    for (int i = 0; i < text.length(); i++) {
      node = next.computeIfAbsent(step(node, text.charAt(i)), _ -> next.size() + 1);
    }
    values.putIfAbsent(node, value);
    firsts.set(text.charAt(0));
  }

  private static long step(int node, char c) {
    return (long) node << 16 | c;
  }

  boolean isEmpty() {
    return values.isEmpty();
  }

  /** The leftmost at a place or behind it, of those the longest. */
  @Nullable Found<T> find(CharSequence text, int from) {
    for (int at = from; at < text.length(); at++) {
      Found<T> found = firsts.get(text.charAt(at)) ? at(text, at) : null;
      if (found != null) {
        return found;
      }
    }
    return null;
  }

  private @Nullable Found<T> at(CharSequence text, int from) {
    Found<T> longest = null;
    int node = 0;
    for (int to = from; to < text.length(); to++) {
      Integer deeper = next.get(step(node, text.charAt(to)));
      if (deeper == null) {
        return longest;
      }
      node = deeper;
      T value = values.get(node);
      longest = value == null ? longest : new Found<>(value, from, to + 1);
    }
    return longest;
  }

  /** How many of a text's last characters begin one of the texts; 0 for none. */
  int begunAtEnd(CharSequence text, int longest) {
    for (int from = Math.max(0, text.length() - longest); from < text.length(); from++) {
      if (firsts.get(text.charAt(from)) && leads(text, from)) {
        return text.length() - from;
      }
    }
    return 0;
  }

  private boolean leads(CharSequence text, int from) {
    Integer node = 0;
    for (int i = from; i < text.length() && node != null; i++) {
      node = next.get(step(node, text.charAt(i)));
    }
    return node != null;
  }

  static Trie<String> of(Collection<String> texts) {
    Trie<String> trie = new Trie<>();
    texts.forEach(text -> trie.put(text, text));
    return trie;
  }
}
