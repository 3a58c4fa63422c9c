package dev.semantic.formats;

import dev.semantic.spi.AnswerParser;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A parser that goes from state to state over the text that is not consumed yet. A state consumes
 * what it understands; where more must come first, it waits. What is consumed since a call began is
 * kept, to be shown if it was none.
 */
abstract class StreamingParser implements AnswerParser {
  /** What is done with the text that comes next. */
  @FunctionalInterface
  interface State {
    /** Consumes something or changes the state, and returns true; else waits for more. */
    boolean step();
  }

  private final StringBuilder text = new StringBuilder();
  private int at; // of which so many are consumed
  private int callFrom = -1; // where the call began that is not complete yet
  private String blanks = ""; // at the end of what is said, which a call may follow
  private boolean fresh; // whether blanks at the beginning of what is said are none of it
  private boolean ended;
  private Sink sink = NO_SINK;
  private State state = () -> false;

  private static final Sink NO_SINK =
      new Sink() {
        @Override
        public void reasoning(String text) {}

        @Override
        public void text(String text) {}

        @Override
        public void callBegun(String id, String name) {}

        @Override
        public void callArguments(String json) {}

        @Override
        public void callComplete() {}

        @Override
        public void brokenCall(String text, String reason) {}
      };

  @Override
  public final void accept(String more, Sink out) {
    text.append(more);
    run(out);
  }

  @Override
  public final void end(Sink out) {
    ended = true;
    run(out);
    sink = out;
    broken("the answer ended within it");
    run(out);
    if (!blanks.isEmpty()) {
      out.text(blanks);
    }
  }

  private void run(Sink out) {
    sink = out;
    while (state.step()) {
      trim();
    }
    sink = NO_SINK;
  }

  /** Lets go of what nobody needs any more. */
  private void trim() {
    int done = callFrom >= 0 ? callFrom : at;
    if (done > 4096) {
      text.delete(0, done);
      at -= done;
      callFrom = callFrom >= 0 ? callFrom - done : -1;
    }
  }

  final void become(State next) {
    state = next;
  }

  final Sink out() {
    return sink;
  }

  final boolean hasEnded() {
    return ended;
  }

  final int left() {
    return text.length() - at;
  }

  final char peek(int offset) {
    return text.charAt(at + offset);
  }

  final String take(int length) {
    String taken = text.substring(at, at + length);
    at += length;
    return taken;
  }

  final void skip(int length) {
    at += length;
  }

  /** Whether white space is what is left, after what there is of it is skipped. */
  final boolean skipBlanks() {
    while (left() > 0 && Character.isWhitespace(peek(0))) {
      at++;
    }
    return left() == 0;
  }

  final boolean startsWith(String tag) {
    return startsWith(tag, 0);
  }

  private boolean startsWith(String tag, int offset) {
    return left() - offset >= tag.length()
        && text.substring(at + offset, at + offset + tag.length()).equals(tag);
  }

  final boolean endsWith(String part) {
    return left() >= part.length() && text.substring(text.length() - part.length()).equals(part);
  }

  /** Whether what is left may become the tag when more comes. */
  final boolean mayBecome(String tag) {
    return !ended && left() < tag.length() && tag.startsWith(text.substring(at));
  }

  /** Where text stops being plain. */
  record Found(int length, @Nullable String tag) {}

  /**
   * Looks for the first of some tags.
   *
   * @return how much is certainly before it, and the tag itself where it is there whole
   */
  final Found find(List<String> tags) {
    for (int i = 0; i < left(); i++) {
      for (String tag : tags) {
        if (peek(i) != tag.charAt(0)) {
          continue;
        }
        if (startsWith(tag, i)) {
          return new Found(i, longest(tags, i));
        }
        if (!ended && left() - i < tag.length() && tag.startsWith(text.substring(at + i))) {
          return new Found(i, null);
        }
      }
    }
    return new Found(left(), null);
  }

  /** Whether one of these stands there; null until it is known. */
  final @Nullable Boolean follows(int offset, List<String> tags) {
    for (String tag : tags) {
      if (startsWith(tag, offset)) {
        return true;
      }
    }
    String there = text.substring(at + offset);
    boolean may = !ended && tags.stream().anyMatch(tag -> tag.startsWith(there));
    return may ? null : Boolean.FALSE;
  }

  /** What was taken for a call is neither call nor text. */
  final void forget() {
    callFrom = -1;
  }

  private String longest(List<String> tags, int offset) {
    return tags.stream()
        .filter(tag -> startsWith(tag, offset))
        .reduce("", (one, other) -> one.length() >= other.length() ? one : other);
  }

  /** Tells what is said, all but the blanks at its end. */
  final void say(String more) {
    String all = blanks + (fresh ? more.stripLeading() : more);
    fresh &= all.isEmpty();
    String said = all.stripTrailing();
    blanks = all.substring(said.length());
    if (!said.isEmpty()) {
      sink.text(said);
    }
  }

  /** What follows is apart from what was before it: blanks between them are nobody's. */
  final void apart() {
    blanks = "";
    fresh = true;
  }

  /** From here on it is a call, or will have been none. */
  final void mark() {
    callFrom = at;
  }

  /** The call that was begun is complete. */
  final void complete() {
    callFrom = -1;
    apart();
    sink.callComplete();
  }

  /** What was taken for a call is what is said. */
  final void unmark() {
    if (callFrom >= 0) {
      String all = text.substring(callFrom, at);
      callFrom = -1;
      say(all);
    }
  }

  /** What was taken for a call is text, all that there is of it by now. */
  final void broken(String reason) {
    if (callFrom < 0) {
      return;
    }
    int to = ended ? text.length() : at;
    String all = text.substring(callFrom, to);
    at = to;
    callFrom = -1;
    if (!blanks.isEmpty()) {
      sink.text(blanks);
    }
    blanks = "";
    fresh = false;
    sink.brokenCall(all, reason);
  }
}
