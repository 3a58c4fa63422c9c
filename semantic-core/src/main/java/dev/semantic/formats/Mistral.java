package dev.semantic.formats;

import dev.semantic.generate.Tool;
import dev.semantic.spi.AnswerFormat;
import dev.semantic.spi.AnswerParser;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Mistral: {@code [TOOL_CALLS][{"name": …, "arguments": {…}}, …]}, and since its eleventh tokenizer
 * {@code [TOOL_CALLS]name[ARGS]{…}} for each call; thoughts in {@code [THINK]}.
 */
final class Mistral implements AnswerFormat {
  private static final String BEGIN = "[TOOL_CALLS]";
  private static final String ID = "[CALL_ID]";
  private static final String ARGS = "[ARGS]";
  private static final int LONGEST_NAME = 200;

  @Override
  public String name() {
    return "mistral";
  }

  @Override
  public boolean matches(String template) {
    return template.contains(BEGIN);
  }

  @Override
  public Set<String> markers() {
    return Set.of(BEGIN, ID, ARGS, "[THINK]", "[/THINK]");
  }

  @Override
  public AnswerParser parser(List<Tool> tools, String promptEnd) {
    return new Parser(!tools.isEmpty(), promptEnd);
  }

  @Override
  public String thoughtsEnd(String promptEnd) {
    return TaggedParser.isWithin("[THINK]", promptEnd) ? "[/THINK]" : "";
  }

  @Override
  public Optional<CallSyntax> callSyntax(String tool, String template) {
    String name = TaggedParser.quoted(tool);
    return Optional.of(
        template.contains(ARGS)
            ? new CallSyntax(BEGIN, BEGIN + tool + ARGS, "")
            : new CallSyntax(BEGIN, BEGIN + "[{\"name\": " + name + ", \"arguments\": ", "}]"));
  }

  private static final class Parser extends TaggedParser {
    private final List<String> tags;
    private String called = "";
    private String id = "";

    Parser(boolean calls, String promptEnd) {
      super("[THINK]", "[/THINK]", promptEnd);
      tags = calls ? List.of(BEGIN) : List.of();
    }

    @Override
    boolean says() {
      return words(
          tags,
          tag -> {
            mark();
            skip(tag.length());
            become(this::begun);
          });
    }

    private boolean begun() {
      if (skipBlanks()) {
        return false;
      }
      if (peek(0) == '[' || peek(0) == '{') {
        become(calls(this::says));
      } else {
        called = "";
        id = "";
        become(this::named);
      }
      return true;
    }

    /** A name, an id perhaps, then the arguments. */
    private boolean named() {
      Found found = find(List.of(ID, ARGS, "{"));
      if (found.length() > LONGEST_NAME) {
        skip(LONGEST_NAME);
        broken("it names no function");
        become(this::says);
        return true;
      }
      if (found.tag() == null) {
        return false;
      }
      String said = take(found.length()).strip();
      if (called.isEmpty()) {
        called = said;
      } else {
        id = said;
      }
      if (found.tag().equals(ID)) {
        skip(ID.length());
        return true;
      }
      skip(found.tag().equals(ARGS) ? ARGS.length() : 0);
      if (called.isBlank()) {
        broken("it names no function");
        become(this::says);
        return true;
      }
      out().callBegun(id, called);
      become(arguments(this::says));
      return true;
    }
  }
}
