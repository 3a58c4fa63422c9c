package dev.semantic.kv;

import java.util.List;
import java.util.OptionalInt;

/**
 * How many parts a sequence is put together of that was forked again and again: attention pays for
 * each, so that some are joined. One rule for those who hold the memory and those who count it.
 */
public final class SegmentMergePolicy {
  /** The most that a sequence has for long. */
  public static final int MOST = 8;

  private SegmentMergePolicy() {}

  /**
   * Which part is to be joined with the one behind it: of neighbours, those that are copied
   * fastest, so that a token is copied a few times, not each time.
   *
   * @param tokens how many each part has, in their order
   * @return empty if there are few enough
   */
  public static OptionalInt toJoin(List<Integer> tokens) {
    if (tokens.size() <= MOST) {
      return OptionalInt.empty();
    }
    int smallest = 0;
    for (int i = 1; i + 1 < tokens.size(); i++) {
      smallest = pair(tokens, i) < pair(tokens, smallest) ? i : smallest;
    }
    return OptionalInt.of(smallest);
  }

  private static int pair(List<Integer> tokens, int index) {
    return tokens.get(index) + tokens.get(index + 1);
  }
}
