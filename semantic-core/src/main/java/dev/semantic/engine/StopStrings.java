package dev.semantic.engine;

import java.util.List;

/**
 * Lets text through up to the first stop string, and holds back what may be the beginning of one.
 */
final class StopStrings {
  private final List<String> stops;
  private final StringBuilder held = new StringBuilder();
  private boolean found;

  StopStrings(List<String> stops) {
    this.stops = stops;
  }

  /** The text that is safe to show after {@code more} has come. */
  String accept(String more) {
    if (found || stops.isEmpty()) {
      return found ? "" : more;
    }
    held.append(more);
    int at = firstStop();
    if (at >= 0) {
      found = true;
      return take(at);
    }
    return take(held.length() - beginningOfAStop());
  }

  /** What was held back, when no more text comes. */
  String rest() {
    return found ? "" : take(held.length());
  }

  boolean found() {
    return found;
  }

  private int firstStop() {
    return stops.stream().mapToInt(held::indexOf).filter(at -> at >= 0).min().orElse(-1);
  }

  /** Length of the longest end of the text that a stop string begins with. */
  private int beginningOfAStop() {
    int longest = 0;
    for (String stop : stops) {
      for (int length = Math.min(stop.length() - 1, held.length()); length > longest; length--) {
        if (stop.startsWith(held.substring(held.length() - length))) {
          longest = length;
        }
      }
    }
    return longest;
  }

  private String take(int length) {
    String text = held.substring(0, length);
    held.delete(0, length);
    return text;
  }
}
