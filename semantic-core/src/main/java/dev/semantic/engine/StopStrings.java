package dev.semantic.engine;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Lets text through up to the first stop string, and holds back what may be the beginning of one. A
 * character costs the same however many stop strings there are (Aho and Corasick 1975): a state is
 * the longest end of the text that some of them begin with.
 */
final class StopStrings {
  private final Map<Long, Integer> next = new HashMap<>();
  private final int[] lengths;
  private final int[] shorter;

  /** Length of the longest stop string that a state ends with; zero for none. */
  private final int[] ending;

  private final StringBuilder held = new StringBuilder();
  private int states = 1;
  private int state;
  private boolean found;

  StopStrings(List<String> stops) {
    int most = 1 + stops.stream().mapToInt(String::length).sum();
    lengths = new int[most];
    shorter = new int[most];
    ending = new int[most];
    int[] before = new int[most];
    char[] last = new char[most];
    for (String stop : stops) {
      int at = 0;
      for (int i = 0; i < stop.length(); i++) {
        char c = stop.charAt(i);
        Integer known = next.putIfAbsent(key(at, c), states);
        if (known == null) {
          before[states] = at;
          last[states] = c;
          lengths[states] = lengths[at] + 1;
        }
        at = known == null ? states++ : known;
      }
      ending[at] = stop.length();
    }
    IntStream.range(1, states)
        .boxed()
        .sorted(Comparator.comparingInt(each -> lengths[each]))
        .forEach(each -> link(each, before[each], last[each]));
  }

  private void link(int each, int before, char last) {
    shorter[each] = before == 0 ? 0 : step(shorter[before], last);
    ending[each] = Math.max(ending[each], ending[shorter[each]]);
  }

  private static long key(int state, char c) {
    return ((long) state << Character.SIZE) | c;
  }

  private int step(int from, char c) {
    int at = from;
    Integer to = next.get(key(at, c));
    while (to == null && at != 0) {
      at = shorter[at];
      to = next.get(key(at, c));
    }
    return to == null ? 0 : to;
  }

  /** The text that is safe to show after {@code more} has come. */
  String accept(String more) {
    if (found || states == 1) {
      return found ? "" : more;
    }
    for (int i = 0; i < more.length(); i++) {
      held.append(more.charAt(i));
      state = step(state, more.charAt(i));
      if (ending[state] > 0) {
        found = true;
        return take(held.length() - ending[state]);
      }
    }
    return take(held.length() - lengths[state]);
  }

  /** What was held back, when no more text comes that a stop string could go on in. */
  String rest() {
    state = 0;
    return found ? "" : take(held.length());
  }

  boolean found() {
    return found;
  }

  private String take(int length) {
    String text = held.substring(0, length);
    held.delete(0, length);
    return text;
  }
}
