package dev.semantic.formats;

import dev.semantic.generate.Tool;
import dev.semantic.spi.AnswerFormat;
import dev.semantic.spi.AnswerParser;
import java.util.List;
import java.util.Set;

/**
 * GLM 4.5 and later: {@code <tool_call>name}, then {@code
 * <arg_key>key</arg_key><arg_value>value</arg_value>} for each argument, then {@code </tool_call>}.
 * Texts are as they are, all else is JSON.
 */
final class Glm implements AnswerFormat {
  private static final String BEGIN = "<tool_call>";
  private static final String END = "</tool_call>";
  private static final String KEY = "<arg_key>";
  private static final String KEY_END = "</arg_key>";
  private static final String VALUE = "<arg_value>";
  private static final String VALUE_END = "</arg_value>";
  private static final int LONGEST_NAME = 200;

  @Override
  public String name() {
    return "glm";
  }

  @Override
  public boolean matches(String template) {
    return template.contains(KEY);
  }

  @Override
  public Set<String> markers() {
    return Set.of(BEGIN, END, KEY, KEY_END, VALUE, VALUE_END, "<think>", "</think>");
  }

  @Override
  public AnswerParser parser(List<Tool> tools, String promptEnd) {
    return new Parser(tools, promptEnd);
  }

  private static final class Parser extends TaggedParser {
    private final List<Tool> tools;
    private final List<String> tags;
    private TypedArguments typed = new TypedArguments(List.of(), "");
    private String key = "";
    private final StringBuilder value = new StringBuilder();

    Parser(List<Tool> tools, String promptEnd) {
      super("<think>", "</think>", promptEnd);
      this.tools = List.copyOf(tools);
      tags = tools.isEmpty() ? List.of() : List.of(BEGIN);
    }

    @Override
    boolean says() {
      return words(
          tags,
          tag -> {
            mark();
            skip(tag.length());
            become(this::named);
          });
    }

    private boolean fail(String why) {
      broken(why);
      become(this::says);
      return true;
    }

    private boolean named() {
      Found found = find(List.of(KEY, END));
      if (found.length() > LONGEST_NAME) {
        return fail("it names no function");
      }
      if (found.tag() == null) {
        return false;
      }
      String name = take(found.length()).strip();
      if (name.isEmpty() || name.chars().anyMatch(Character::isWhitespace)) {
        return fail("it names no function");
      }
      typed = new TypedArguments(tools, name);
      out().callBegun("", name);
      become(this::member);
      return true;
    }

    private boolean member() {
      if (skipBlanks() || mayBecome(KEY) || mayBecome(END)) {
        return false;
      }
      if (startsWith(END)) {
        skip(END.length());
        out().callArguments(typed.end());
        complete();
        become(this::says);
      } else if (startsWith(KEY)) {
        skip(KEY.length());
        become(this::key);
      } else {
        return fail("an argument or the call's end is missing");
      }
      return true;
    }

    private boolean key() {
      Found found = find(List.of(KEY_END));
      if (found.length() > LONGEST_NAME) {
        return fail("an argument has no name");
      }
      if (found.tag() == null) {
        return false;
      }
      key = take(found.length()).strip();
      skip(KEY_END.length());
      become(this::behindKey);
      return true;
    }

    private boolean behindKey() {
      if (skipBlanks() || mayBecome(VALUE)) {
        return false;
      }
      if (!startsWith(VALUE)) {
        return fail("an argument has no value");
      }
      skip(VALUE.length());
      value.setLength(0);
      become(this::value);
      return true;
    }

    /** A value may have such tags in it: what stands behind its end tells. */
    private boolean value() {
      Found found = find(List.of(VALUE_END));
      value.append(take(found.length()));
      if (found.tag() == null) {
        return false;
      }
      int behind = VALUE_END.length();
      while (behind < left() && Character.isWhitespace(peek(behind))) {
        behind++;
      }
      Boolean ends = follows(behind, List.of(KEY, END));
      if (ends == null) {
        return false;
      }
      if (!ends) {
        value.append(take(1));
        return true;
      }
      skip(behind);
      out().callArguments(typed.next(key, value.toString()));
      become(this::member);
      return true;
    }
  }
}
