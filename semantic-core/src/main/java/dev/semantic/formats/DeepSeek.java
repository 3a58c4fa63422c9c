package dev.semantic.formats;

import dev.semantic.generate.Tool;
import dev.semantic.spi.AnswerFormat;
import dev.semantic.spi.AnswerParser;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * DeepSeek V3 and R1: {@code <｜tool▁calls▁begin｜>}, then for each call {@code
 * <｜tool▁call▁begin｜>function<｜tool▁sep｜>name}, the arguments in a block of {@code json}, {@code
 * <｜tool▁call▁end｜>}; V3.1: {@code <｜tool▁call▁begin｜>name<｜tool▁sep｜>{…}<｜tool▁call▁end｜>}.
 * Thoughts in {@code <think>}.
 */
final class DeepSeek implements AnswerFormat {
  private static final String CALLS = "<｜tool▁calls▁begin｜>";
  private static final String CALLS_END = "<｜tool▁calls▁end｜>";
  private static final String CALL = "<｜tool▁call▁begin｜>";
  private static final String CALL_END = "<｜tool▁call▁end｜>";
  private static final String PART = "<｜tool▁sep｜>";
  private static final int LONGEST_NAME = 200;

  @Override
  public String name() {
    return "deepseek";
  }

  @Override
  public boolean matches(String template) {
    return template.contains(CALLS);
  }

  @Override
  public Set<String> markers() {
    return Set.of(CALLS, CALLS_END, CALL, CALL_END, PART, "<think>", "</think>");
  }

  @Override
  public AnswerParser parser(List<Tool> tools, String promptEnd) {
    return new Parser(!tools.isEmpty(), promptEnd);
  }

  @Override
  public String thoughtsEnd(String promptEnd) {
    return TaggedParser.isWithin("<think>", promptEnd) ? "</think>" : "";
  }

  @Override
  public Optional<CallSyntax> callSyntax(String tool, String template) {
    boolean block = template.contains("```json");
    return Optional.of(
        block
            ? new CallSyntax(
                CALLS,
                CALLS + CALL + "function" + PART + tool + "\n```json\n",
                "\n```" + CALL_END + CALLS_END)
            : new CallSyntax(CALLS, CALLS + CALL + tool + PART, CALL_END + CALLS_END));
  }

  private static final class Parser extends TaggedParser {
    private final List<String> tags;
    private String called = "";

    Parser(boolean calls, String promptEnd) {
      super("<think>", "</think>", promptEnd);
      tags = calls ? List.of(CALLS, CALL) : List.of();
    }

    @Override
    boolean says() {
      return words(
          tags,
          tag -> {
            mark();
            skip(tag.length());
            become(tag.equals(CALL) ? this::named : this::begun);
          });
    }

    private boolean begun() {
      if (skipBlanks() || mayBecome(CALL)) {
        return false;
      }
      if (startsWith(CALL)) {
        skip(CALL.length());
        become(this::named);
      } else {
        broken("no call begins");
        become(this::says);
      }
      return true;
    }

    private boolean named() {
      Found found = find(List.of(PART));
      if (found.length() > LONGEST_NAME) {
        return nameless();
      }
      if (found.tag() == null) {
        return false;
      }
      called = take(found.length()).strip();
      skip(PART.length());
      become(this::parted);
      return true;
    }

    private boolean nameless() {
      broken("it names no function");
      become(this::says);
      return true;
    }

    /** Arguments, or else a name with a block. */
    private boolean parted() {
      if (skipBlanks()) {
        return false;
      }
      if (peek(0) == '{') {
        return begins();
      }
      Found line = find(List.of("\n"));
      if (line.length() > LONGEST_NAME) {
        return nameless();
      }
      if (line.tag() == null) {
        return false;
      }
      called = take(line.length()).strip();
      become(this::blocked);
      return true;
    }

    private boolean blocked() {
      if (skipBlanks() || mayBecome("```json")) {
        return false;
      }
      if (startsWith("```json")) {
        skip("```json".length());
      }
      return begins();
    }

    private boolean begins() {
      if (called.isBlank()) {
        return nameless();
      }
      out().callBegun("", called);
      become(arguments(closedBy(List.of("```", CALL_END, CALLS_END), this::says)));
      return true;
    }
  }
}
