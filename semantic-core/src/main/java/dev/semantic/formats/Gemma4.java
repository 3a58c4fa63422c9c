package dev.semantic.formats;

import dev.semantic.generate.Tool;
import dev.semantic.spi.AnswerFormat;
import dev.semantic.spi.AnswerParser;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Gemma 4: {@code <|tool_call>call:name{key:<|"|>text<|"|>,other:1}<tool_call|>}, names without
 * quotes and texts between marks of their own; thoughts in {@code <|channel>thought … <channel|>}.
 */
final class Gemma4 implements AnswerFormat {
  private static final String BEGIN = "<|tool_call>";
  private static final String END = "<tool_call|>";
  private static final String CALL = "call:";
  private static final String TEXT = "<|\"|>";
  private static final String CHANNEL = "<|channel>";
  private static final String CHANNEL_END = "<channel|>";
  private static final int LONGEST_NAME = 200;

  @Override
  public String name() {
    return "gemma4";
  }

  @Override
  public boolean matches(String template) {
    return template.contains(BEGIN);
  }

  @Override
  public Set<String> markers() {
    return Set.of(BEGIN, END, TEXT, CHANNEL, CHANNEL_END);
  }

  @Override
  public AnswerParser parser(List<Tool> tools, String promptEnd) {
    return new Parser(!tools.isEmpty(), promptEnd);
  }

  private static final class Parser extends TaggedParser {
    private static final Pattern WORD =
        Pattern.compile("true|false|null|-?(0|[1-9]\\d*)(\\.\\d+)?([eE][+-]?\\d+)?");

    private final List<String> tags;
    private final StringBuilder open = new StringBuilder(); // brackets
    private final StringBuilder json = new StringBuilder(); // that nobody was told yet
    private Next next = Next.NAME;
    private boolean closable; // whether a bracket may close here

    /** What comes next of an object or a list. */
    private enum Next {
      NAME,
      VALUE,
      /** A comma, or the end of it. */
      COMMA
    }

    Parser(boolean calls, String promptEnd) {
      super(CHANNEL + "thought\n", CHANNEL_END, promptEnd + "\n");
      tags = calls ? List.of(BEGIN, CHANNEL) : List.of(CHANNEL);
      become(promptEnd.stripTrailing().endsWith(CHANNEL + "thought") ? this::thinks : this::says);
    }

    @Override
    boolean says() {
      return words(
          tags,
          tag -> {
            if (tag.equals(CHANNEL)) {
              apart();
              thinkAgain();
              skip(tag.length());
              become(this::channel);
            } else {
              mark();
              skip(tag.length());
              become(this::begun);
            }
          });
    }

    private boolean channel() {
      if (mayBecome("thought")) {
        return false;
      }
      skip(startsWith("thought") ? "thought".length() : 0);
      become(this::thinks);
      return true;
    }

    private boolean thinks() {
      Found found = find(List.of(CHANNEL_END));
      if (found.length() > 0) {
        think(take(found.length()));
      }
      if (found.tag() == null) {
        return false;
      }
      skip(CHANNEL_END.length());
      apart();
      become(this::says);
      return true;
    }

    private boolean fail(String why) {
      tell();
      broken(why);
      become(this::says);
      return true;
    }

    private boolean begun() {
      if (skipBlanks() || mayBecome(CALL)) {
        return false;
      }
      if (!startsWith(CALL)) {
        return fail("no call begins");
      }
      skip(CALL.length());
      become(this::named);
      return true;
    }

    private boolean named() {
      Found found = find(List.of("{"));
      if (found.length() > LONGEST_NAME) {
        return fail("it names no function");
      }
      if (found.tag() == null) {
        return false;
      }
      String name = take(found.length()).strip();
      skip(1);
      if (name.isEmpty()) {
        return fail("it names no function");
      }
      out().callBegun("", name);
      open.setLength(0);
      open.append('{');
      json.setLength(0);
      json.append('{');
      expect(Next.NAME, true);
      become(this::item);
      return true;
    }

    private void expect(Next what, boolean mayClose) {
      next = what;
      closable = mayClose;
    }

    /** A name, a value, a comma, or a bracket. */
    private boolean item() {
      if (skipBlanks() || mayBecome(TEXT)) {
        return tell();
      }
      char c = peek(0);
      if (c == '}' || c == ']') {
        return closes(c);
      }
      if ((c == ',') != (next == Next.COMMA)) {
        return fail(c == ',' ? "a comma follows nothing" : "a comma is missing");
      }
      if (c == ',') {
        skip(1);
        json.append(", ");
        expect(inObject() ? Next.NAME : Next.VALUE, false);
        return true;
      }
      if (startsWith(TEXT)) {
        return text();
      }
      if (next == Next.NAME) {
        return name();
      }
      if (c == '{' || c == '[') {
        skip(1);
        json.append(c);
        open.append(c);
        expect(c == '{' ? Next.NAME : Next.VALUE, true);
        return open.length() < 200 || fail("it is nested too deeply");
      }
      return word();
    }

    private boolean tell() {
      if (!json.isEmpty()) {
        out().callArguments(json.toString());
        json.setLength(0);
      }
      return false;
    }

    private boolean inObject() {
      return open.charAt(open.length() - 1) == '{';
    }

    private boolean closes(char c) {
      if (inObject() != (c == '}')) {
        return fail("its brackets do not match");
      }
      if (!closable) {
        return fail("a value is missing");
      }
      skip(1);
      json.append(c);
      open.setLength(open.length() - 1);
      expect(Next.COMMA, true);
      if (open.isEmpty()) {
        tell();
        complete();
        become(closedBy(List.of(END), this::says));
      }
      return true;
    }

    private boolean text() {
      skip(TEXT.length());
      json.append('"');
      become(this::inText);
      return true;
    }

    private boolean inText() {
      Found found = find(List.of(TEXT));
      String inside = quoted(take(found.length()));
      json.append(inside, 1, inside.length() - 1);
      if (found.tag() == null) {
        return tell();
      }
      skip(TEXT.length());
      json.append('"');
      if (next == Next.NAME) {
        become(this::colon);
      } else {
        expect(Next.COMMA, true);
        become(this::item);
      }
      return true;
    }

    private boolean colon() {
      if (skipBlanks()) {
        return false;
      }
      if (peek(0) != ':') {
        return fail("a name has no value");
      }
      skip(1);
      json.append(": ");
      expect(Next.VALUE, false);
      become(this::item);
      return true;
    }

    private boolean name() {
      Found found = find(List.of(":"));
      if (found.length() > LONGEST_NAME) {
        return fail("a name has no value");
      }
      if (found.tag() == null) {
        return tell();
      }
      json.append(quoted(take(found.length()).strip()));
      become(this::colon);
      return true;
    }

    /** A number, a truth value, null; anything else is a text without its marks. */
    private boolean word() {
      Found found = find(List.of(",", "}", "]"));
      if (found.tag() == null) {
        return tell();
      }
      String word = take(found.length()).strip();
      json.append(WORD.matcher(word).matches() ? word : quoted(word));
      expect(Next.COMMA, true);
      return true;
    }
  }
}
