package dev.semantic.formats;

import dev.semantic.generate.Tool;
import dev.semantic.spi.AnswerFormat;
import dev.semantic.spi.AnswerParser;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Qwen3-Coder: {@code <tool_call><function=name><parameter=key>value</parameter></function>
 * </tool_call>}; values are as they are, a line of their own. A value's end is one that another
 * parameter or the function's end stands behind: values may have such tags in them.
 */
final class QwenCoder implements AnswerFormat {
  private static final String BEGIN = "<tool_call>";
  private static final String END = "</tool_call>";
  private static final String FUNCTION = "<function=";
  private static final String FUNCTION_END = "</function>";
  private static final String PARAMETER = "<parameter=";
  private static final String PARAMETER_END = "</parameter>";
  private static final int LONGEST_NAME = 200;

  @Override
  public String name() {
    return "qwen-coder";
  }

  @Override
  public boolean matches(String template) {
    return template.contains(FUNCTION) && template.contains(PARAMETER);
  }

  @Override
  public Set<String> markers() {
    return Set.of(BEGIN, END, "<think>", "</think>");
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
      tags = tools.isEmpty() ? List.of() : List.of(BEGIN, FUNCTION);
    }

    @Override
    boolean says() {
      return words(
          tags,
          tag -> {
            mark();
            skip(tag.equals(BEGIN) ? BEGIN.length() : 0);
            become(this::begun);
          });
    }

    private boolean begun() {
      if (skipBlanks() || mayBecome(FUNCTION)) {
        return false;
      }
      if (!startsWith(FUNCTION)) {
        return fail("no function begins");
      }
      skip(FUNCTION.length());
      become(this::named);
      return true;
    }

    private boolean fail(String why) {
      broken(why);
      become(this::says);
      return true;
    }

    private boolean named() {
      Found found = find(List.of(">"));
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
      typed = new TypedArguments(tools, name);
      out().callBegun("", name);
      become(this::member);
      return true;
    }

    private boolean member() {
      if (skipBlanks() || mayBecome(PARAMETER) || mayBecome(FUNCTION_END)) {
        return false;
      }
      if (startsWith(FUNCTION_END)) {
        skip(FUNCTION_END.length());
        out().callArguments(typed.end());
        complete();
        become(closedBy(List.of(END), this::says));
      } else if (startsWith(PARAMETER)) {
        skip(PARAMETER.length());
        become(this::key);
      } else {
        return fail("a parameter or the function's end is missing");
      }
      return true;
    }

    private boolean key() {
      Found found = find(List.of(">"));
      if (found.length() > LONGEST_NAME) {
        return fail("a parameter has no name");
      }
      if (found.tag() == null) {
        return false;
      }
      key = take(found.length()).strip();
      skip(1);
      value.setLength(0);
      become(this::value);
      return true;
    }

    private boolean value() {
      Found found = find(List.of(PARAMETER_END));
      value.append(take(found.length()));
      if (found.tag() == null) {
        return false;
      }
      int behind = PARAMETER_END.length();
      while (behind < left() && Character.isWhitespace(peek(behind))) {
        behind++;
      }
      Boolean ends = isNext(behind);
      if (ends == null) {
        return false;
      }
      if (!ends) {
        value.append(take(1));
        return true;
      }
      skip(behind);
      out().callArguments(typed.next(key, line(value.toString())));
      become(this::member);
      return true;
    }

    /** Whether a parameter's end that is followed so is one; null until enough is there. */
    private @Nullable Boolean isNext(int behind) {
      return follows(behind, List.of(PARAMETER, FUNCTION_END));
    }

    /** A value stands on lines of its own. */
    private static String line(String value) {
      String begun = value.startsWith("\n") ? value.substring(1) : value;
      return begun.endsWith("\n") ? begun.substring(0, begun.length() - 1) : begun;
    }
  }
}
