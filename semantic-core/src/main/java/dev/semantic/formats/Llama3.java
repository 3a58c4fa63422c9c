package dev.semantic.formats;

import dev.semantic.generate.Tool;
import dev.semantic.spi.AnswerFormat;
import dev.semantic.spi.AnswerParser;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Llama 3: an answer that is {@code {"name": …, "parameters": {…}}}, and nothing before it, with or
 * without {@code <|python_tag|>} in front; several are parted by semicolons. Without the tag it is
 * a call only if it names a tool.
 */
final class Llama3 implements AnswerFormat {
  private static final String TAG = "<|python_tag|>";

  @Override
  public String name() {
    return "llama3";
  }

  @Override
  public boolean matches(String template) {
    return template.contains(TAG)
        || (template.contains("<|start_header_id|>") && template.contains("\"parameters\""));
  }

  @Override
  public Set<String> markers() {
    return Set.of(TAG);
  }

  @Override
  public AnswerParser parser(List<Tool> tools, String promptEnd) {
    return new Parser(tools, promptEnd);
  }

  @Override
  public String thoughtsEnd(String promptEnd) {
    return TaggedParser.isWithin("<think>", promptEnd) ? "</think>" : "";
  }

  @Override
  public Optional<CallSyntax> callSyntax(String tool, String template) {
    String name = TaggedParser.quoted(tool);
    return Optional.of(
        new CallSyntax("{\"name\": ", "{\"name\": " + name + ", \"parameters\": ", "}"));
  }

  private static final class Parser extends TaggedParser {
    private final Set<String> names;
    private boolean begun; // something was said or called

    Parser(List<Tool> tools, String promptEnd) {
      super("<think>", "</think>", promptEnd);
      names = tools.stream().map(Tool::name).collect(Collectors.toSet());
    }

    @Override
    boolean says() {
      if (names.isEmpty()) {
        return words(List.of(), tag -> {});
      }
      return begun ? words(List.of(TAG), this::tagged) : first();
    }

    private void tagged(String tag) {
      begun = true;
      mark();
      skip(tag.length());
      become(this::behindTag);
    }

    /** A call may be all of an answer. */
    private boolean first() {
      int blank = 0;
      while (blank < left() && Character.isWhitespace(peek(blank))) {
        blank++;
      }
      if (blank == left()) {
        begun = hasEnded();
        return hasEnded() && left() > 0;
      }
      begun = true;
      if (peek(blank) == '{') {
        mark();
        become(callOf(names, this::behindCall));
      }
      return true;
    }

    private boolean behindTag() {
      if (skipBlanks()) {
        return false;
      }
      if (peek(0) == '{') {
        become(call(this::behindCall));
      } else {
        broken("it is code, and no call with arguments in JSON");
        become(this::says);
      }
      return true;
    }

    private boolean behindCall() {
      if (skipBlanks()) {
        return false;
      }
      char c = peek(0);
      if (c == ';' || c == ',') {
        mark();
        skip(1);
        become(this::behindSemicolon);
      } else if (c == '{') {
        mark();
        become(callOf(names, this::behindCall));
      } else {
        become(this::says);
      }
      return true;
    }

    private boolean behindSemicolon() {
      if (skipBlanks()) {
        return false;
      }
      become(callOf(names, this::behindCall));
      return true;
    }
  }
}
