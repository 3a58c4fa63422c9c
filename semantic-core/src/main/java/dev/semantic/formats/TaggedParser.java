package dev.semantic.formats;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What most families have in common: thoughts between tags at an answer's beginning, then words,
 * and calls behind tags; and calls that are JSON.
 */
abstract class TaggedParser extends StreamingParser {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final String thoughts;
  private final String thought;
  private final StringBuilder blanksThought = new StringBuilder();
  private boolean freshThought = true;

  /**
   * A parser.
   *
   * @param thoughts what opens them
   * @param thought what closes them
   * @param promptEnd which may have opened them already
   */
  TaggedParser(String thoughts, String thought, String promptEnd) {
    this.thoughts = thoughts;
    this.thought = thought;
    become(isWithin(thoughts, promptEnd) ? this::thinks : this::begins);
  }

  /** Whether a prompt has opened the thoughts. */
  static boolean isWithin(String thoughts, String promptEnd) {
    return promptEnd.stripTrailing().endsWith(thoughts);
  }

  /** Whether anything of the answer is thought is known once enough of it is there. */
  private boolean begins() {
    int blank = 0;
    while (blank < left() && Character.isWhitespace(peek(blank))) {
      blank++;
    }
    if (blank == left() && !hasEnded()) {
      return false;
    }
    Found found = find(List.of(thoughts));
    if (found.length() == blank && found.tag() == null && !hasEnded()) {
      return false;
    }
    if (found.length() == blank && found.tag() != null) {
      skip(blank + thoughts.length());
      become(this::thinks);
    } else {
      become(this::says);
    }
    return true;
  }

  private boolean thinks() {
    Found found = find(List.of(thought));
    if (found.length() > 0) {
      think(take(found.length()));
    }
    if (found.tag() == null) {
      return false;
    }
    skip(thought.length());
    apart();
    become(this::says);
    return true;
  }

  /** Blanks around thoughts are none of them. */
  final void think(String more) {
    String all = blanksThought + (freshThought ? more.stripLeading() : more);
    freshThought &= all.isEmpty();
    String told = all.stripTrailing();
    blanksThought.setLength(0);
    blanksThought.append(all.substring(told.length()));
    if (!told.isEmpty()) {
      out().reasoning(told);
    }
  }

  /** Other thoughts begin. */
  final void thinkAgain() {
    blanksThought.setLength(0);
    if (!freshThought) {
      blanksThought.append("\n\n");
    }
  }

  /** Words, until something else begins; the state behind a call, too. */
  abstract boolean says();

  /** Words up to one of these tags, which is not consumed yet when it is told. */
  final boolean words(List<String> tags, Consumer<String> then) {
    Found found = find(tags);
    if (found.tag() == null && hasEnded()) {
      int half = halfAtEnd(tags);
      say(take(left() - half));
      if (half > 0) {
        mark();
        broken("the answer ended within it");
      }
      return false;
    }
    if (found.length() > 0) {
      say(take(found.length()));
    }
    if (found.tag() == null) {
      return false;
    }
    then.accept(found.tag());
    return true;
  }

  /** How much of a tag the answer ends with; a single letter says nothing. */
  private int halfAtEnd(List<String> tags) {
    int longest = 0;
    for (String tag : tags) {
      for (int half = Math.min(tag.length() - 1, left()); half > Math.max(1, longest); half--) {
        longest = endsWith(tag.substring(0, half)) ? half : longest;
      }
    }
    return longest;
  }

  /** Skips what closes a call, if it is there, and goes on. */
  final State closedBy(List<String> tags, State then) {
    return () -> {
      boolean all = skipBlanks();
      for (String tag : tags) {
        if (startsWith(tag)) {
          skip(tag.length());
          return true;
        }
        if (mayBecome(tag)) {
          return false;
        }
      }
      if (all && !hasEnded()) {
        return false;
      }
      become(then);
      return true;
    };
  }

  /** A JSON value that is the arguments of a call which has begun. */
  final State arguments(State then) {
    JsonStream json = new JsonStream();
    return () -> {
      StringBuilder more = new StringBuilder();
      boolean last = false;
      boolean wrong = false;
      while (left() > 0 && !last && !wrong) {
        char c = peek(0);
        String written = json.written(c);
        boolean outside = json.depth() == 0;
        wrong = (outside && c != '{' && !blank(c)) || json.accept(c) == JsonStream.Step.WRONG;
        if (!wrong) {
          more.append(outside && blank(c) ? "" : written);
          skip(1);
          last = c == '}' && json.depth() == 0 && !outside;
        }
      }
      if (!more.isEmpty()) {
        out().callArguments(more.toString());
      }
      if (last) {
        complete();
        become(then);
      } else if (wrong) {
        broken("its arguments are no JSON object");
        become(this::says);
      }
      return last || wrong;
    };
  }

  private static boolean blank(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
  }

  /** An object that has the call's name and arguments as members. */
  final State call(State then) {
    return new CallObject(name -> true, then);
  }

  /** The same; if its name is none of these, it is said, and no call. */
  final State callOf(Set<String> names, State then) {
    return new CallObject(names::contains, then);
  }

  /** An array of such objects, or one alone. */
  final State calls(State then) {
    return () -> {
      if (skipBlanks() && !hasEnded()) {
        return false;
      }
      if (left() > 0 && peek(0) == '[') {
        skip(1);
        become(element(then));
      } else {
        become(call(then));
      }
      return true;
    };
  }

  private State element(State then) {
    return () -> {
      if (skipBlanks() && !hasEnded()) {
        return false;
      }
      become(call(next(then)));
      return true;
    };
  }

  private State next(State then) {
    return () -> {
      if (skipBlanks() && !hasEnded()) {
        return false;
      }
      if (left() == 0) {
        return false;
      }
      if (peek(0) == ',') {
        mark();
        skip(1);
        become(element(then));
      } else {
        skip(peek(0) == ']' ? 1 : 0);
        become(then);
      }
      return true;
    };
  }

  /** Reads {@code {"name": …, "arguments": …}}, the members in any order. */
  private final class CallObject implements State {
    private final Predicate<String> names;
    private final State then;
    private final JsonStream json = new JsonStream();
    private final StringBuilder key = new StringBuilder();
    private final StringBuilder value = new StringBuilder();
    private final StringBuilder ready = new StringBuilder(); // arguments that nobody was told yet
    private boolean inValue;
    private boolean argumentsSeen;
    private boolean streams; // whether the value is the arguments, as an object
    private String id = "";
    private @Nullable String name;
    private @Nullable String wrong;

    private CallObject(Predicate<String> names, State then) {
      this.names = names;
      this.then = then;
    }

    @Override
    public boolean step() {
      if (json.depth() == 0 && skipBlanks()) {
        return false;
      }
      boolean last = false;
      while (left() > 0 && !last && wrong == null) {
        char c = peek(0);
        last = accept(c);
        if (wrong == null) {
          skip(1);
        }
      }
      tell();
      if (wrong != null) {
        fail(wrong);
      } else if (last) {
        if (name == null) {
          fail("it names no function");
        } else {
          if (!argumentsSeen) {
            out().callArguments("{}");
          }
          complete();
          become(then);
        }
      }
      return wrong != null || last;
    }

    private void fail(String why) {
      wrong = why;
      if (name == null && !names.test("")) {
        unmark(); // nothing said that it should be a call
      } else {
        broken(why);
      }
      become(TaggedParser.this::says);
    }

    /** Whether that was the last of it. */
    private boolean accept(char c) {
      int depth = json.depth();
      String written = json.written(c);
      boolean text = json.inText();
      if ((depth == 0 && c != '{') || json.accept(c) == JsonStream.Step.WRONG) {
        wrong = "it is no JSON object";
        return false;
      }
      if (depth == 1 && !text && c == ':') {
        inValue = true;
        value.setLength(0);
        return false;
      }
      boolean last = json.depth() == 0;
      if (inValue && (last || (depth == 1 && !text && c == ','))) {
        member();
        inValue = false;
        key.setLength(0);
      } else if (inValue) {
        member(written, c);
      } else if (depth == 1) {
        key.append(c == ',' && !text ? "" : written);
      }
      return last;
    }

    private boolean isArguments() {
      String member = decoded(key.toString());
      return "arguments".equals(member) || "parameters".equals(member);
    }

    /** One more character of a member's value. */
    private void member(String written, char c) {
      boolean first = value.isEmpty();
      if (first && blank(c)) {
        return;
      }
      if (first) {
        streams = c == '{' && isArguments() && !argumentsSeen;
        argumentsSeen |= streams;
      }
      if (streams) {
        boolean behind = json.depth() == 1 && c != '}';
        ready.append(behind ? "" : written);
        value.setLength(0);
        value.append('.'); // not empty
      } else {
        value.append(written);
      }
    }

    /** A member is complete. */
    private void member() {
      String member = decoded(key.toString());
      if (streams) {
        streams = false;
      } else if (isArguments() && !argumentsSeen) {
        argumentsSeen = true;
        String text = decoded(value.toString().strip());
        String object = value.toString().strip().equals("null") ? "{}" : text;
        if (object == null || !isObject(object)) {
          wrong = "its arguments are no JSON object";
        } else {
          ready.append(object);
        }
      } else if ("name".equals(member) && name == null) {
        String said = decoded(value.toString().strip());
        if (said == null || said.isBlank()) {
          wrong = "its name is no text";
        } else if (!names.test(said)) {
          wrong = "no tool is called so";
        } else {
          name = said;
          out().callBegun(id, said);
        }
      } else if ("id".equals(member)) {
        String said = decoded(value.toString().strip());
        id = said == null ? "" : said;
      }
    }

    private void tell() {
      if (name != null && !ready.isEmpty()) {
        out().callArguments(ready.toString());
        ready.setLength(0);
      }
    }
  }

  /** What a text in JSON says; null if it is none. */
  private static @Nullable String decoded(String json) {
    try {
      return JSON.readTree(json) instanceof TextNode text ? text.textValue() : null;
    } catch (JsonProcessingException e) {
      return null;
    }
  }

  private static boolean isObject(String json) {
    JsonStream stream = new JsonStream();
    String whole = json.strip();
    for (int i = 0; i < whole.length(); i++) {
      JsonStream.Step step = stream.accept(whole.charAt(i));
      if (step == JsonStream.Step.LAST) {
        return whole.startsWith("{") && i == whole.length() - 1;
      }
      if (step != JsonStream.Step.INSIDE) {
        return false;
      }
    }
    return false;
  }

  /** As JSON has it. */
  static String quoted(String text) {
    try {
      return JSON.writeValueAsString(text);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("No text", e);
    }
  }
}
