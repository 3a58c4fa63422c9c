package dev.semantic.mlx.tokenizer;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/**
 * Refuses patterns that a search by trial and error may not come to an end with: the tokenizer
 * library searches so, and nothing stops it. What tokenizers cut text with has a few repetitions
 * side by side in each of its branches; a repetition of what repeats, or a reference back, no
 * tokenizer needs.
 */
final class PatternBounds {
  private static final int LONGEST = 1 << 14;
  private static final int MOST_TIMES = 10_000;
  private static final int MOST_SIDE_BY_SIDE = 4;

  private final String pattern;
  private final Deque<Group> open = new ArrayDeque<>();
  private int at;

  /** What is known of a group, or of what stands before a repetition. */
  private static final class Group {
    private boolean repeats; // something in it any number of times
    private boolean branches;
    private int sideBySide; // repetitions in the present branch
    private int mostSideBySide;
    private long times = 1; // that the most repeated thing in it is there
  }

  private PatternBounds(String pattern) {
    this.pattern = pattern;
  }

  /** What is wrong with a pattern; empty if nothing is. */
  static Optional<String> refusal(String pattern) {
    return pattern.length() > LONGEST
        ? Optional.of("it has %d characters".formatted(pattern.length()))
        : new PatternBounds(pattern).refusal();
  }

  private Optional<String> refusal() {
    open.push(new Group());
    Group last = new Group(); // what a repetition would repeat
    while (at < pattern.length()) {
      char c = pattern.charAt(at++);
      switch (c) {
        case '(' -> {
          if (pattern.startsWith("?~", at)) {
            return Optional.of("it has an absent operator");
          }
          open.push(new Group());
          skipGroupHead();
          last = new Group();
        }
        case ')' -> {
          if (open.size() == 1) {
            return Optional.of("a group ends that never began");
          }
          last = closed(open.pop());
          open.element().sideBySide += last.mostSideBySide;
          open.element().times = Math.max(open.element().times, last.times);
          open.element().repeats |= last.repeats;
        }
        case '|' -> {
          branch(open.element());
          open.element().branches = true;
        }
        case '[' -> {
          skipClass();
          last = new Group();
        }
        case '\\' -> {
          char escaped = at < pattern.length() ? pattern.charAt(at++) : ' ';
          if ((escaped >= '1' && escaped <= '9') || escaped == 'k' || escaped == 'g') {
            return Optional.of("it refers back to a group");
          }
          last = new Group();
        }
        case '*', '+', '?', '{' -> {
          Optional<String> why = repeated(c, last);
          if (why.isPresent()) {
            return why;
          }
        }
        default -> last = new Group();
      }
    }
    branch(open.element());
    return open.element().mostSideBySide > MOST_SIDE_BY_SIDE
        ? Optional.of(many())
        : Optional.empty();
  }

  private static String many() {
    return "more than %d repetitions stand side by side".formatted(MOST_SIDE_BY_SIDE);
  }

  private static void branch(Group group) {
    group.mostSideBySide = Math.max(group.mostSideBySide, group.sideBySide);
    group.sideBySide = 0;
  }

  private static Group closed(Group group) {
    branch(group);
    return group;
  }

  private Optional<String> repeated(char c, Group what) {
    long most = most(c);
    if (most == 0) {
      return Optional.empty(); // a brace that is a character
    }
    Group around = open.element();
    if (most == Long.MAX_VALUE) {
      if (what.repeats) {
        return Optional.of("it repeats what repeats");
      }
      if (what.branches) {
        return Optional.of("it repeats a choice");
      }
      around.repeats = true;
      around.sideBySide++;
      what.repeats = true;
    } else {
      what.times = Math.multiplyExact(what.times, Math.max(1, most));
      around.times = Math.max(around.times, what.times);
      if (what.repeats && most > 1) {
        return Optional.of("it repeats what repeats");
      }
      if (what.times > MOST_TIMES) {
        return Optional.of("it repeats something %d times".formatted(what.times));
      }
    }
    return Optional.empty();
  }

  /** How often at most; {@link Long#MAX_VALUE} for any number of times. */
  private long most(char c) {
    long most =
        switch (c) {
          case '?' -> 1;
          case '{' -> counted();
          default -> Long.MAX_VALUE;
        };
    boolean lazyOrPossessive =
        c != '{'
            && at < pattern.length()
            && (pattern.charAt(at) == '?' || pattern.charAt(at) == '+');
    if (lazyOrPossessive || (c == '{' && most != 0 && pattern.startsWith("?", at))) {
      at++;
    }
    return most;
  }

  /** {@code {n}}, {@code {n,}}, {@code {,m}} or {@code {n,m}}; 0 if it is none of them. */
  private long counted() {
    int end = pattern.indexOf('}', at);
    String inside = end < 0 ? "" : pattern.substring(at, end);
    if (!inside.matches("[0-9]{1,9}(,[0-9]{0,9})?|,[0-9]{1,9}")) {
      return 0;
    }
    at = end + 1;
    if (inside.endsWith(",")) {
      return Long.MAX_VALUE;
    }
    return Math.max(1, Long.parseLong(inside.substring(inside.indexOf(',') + 1)));
  }

  /** Options, names, looks ahead and behind. */
  private void skipGroupHead() {
    if (!pattern.startsWith("?", at)) {
      return;
    }
    at++;
    while (at < pattern.length() && "imxsuadn-^".indexOf(pattern.charAt(at)) >= 0) {
      at++;
    }
    if (pattern.startsWith("<", at)
        && !pattern.startsWith("<=", at)
        && !pattern.startsWith("<!", at)) {
      at = Math.max(at, pattern.indexOf('>', at)) + 1;
      return;
    }
    while (at < pattern.length() && ":=!<>".indexOf(pattern.charAt(at)) >= 0) {
      at++;
    }
  }

  /** To behind its end; classes may stand in it. */
  private void skipClass() {
    int depth = 1;
    boolean first = true; // where a closing bracket is a character
    while (at < pattern.length() && depth > 0) {
      char c = pattern.charAt(at++);
      switch (c) {
        case '\\' -> at++;
        case '[' -> depth++;
        case ']' -> depth -= first ? 0 : 1;
        default -> {}
      }
      first = first && c == '^';
    }
  }
}
