package dev.semantic.formats;

import dev.semantic.generate.Tool;
import dev.semantic.spi.AnswerFormat;
import dev.semantic.spi.AnswerParser;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Granite 3: {@code <|tool_call|>[{"name": …, "arguments": {…}}, …]}; thoughts in {@code <think>}.
 * Granite 4 writes as {@link Hermes} does.
 */
final class Granite implements AnswerFormat {
  private static final String BEGIN = "<|tool_call|>";

  @Override
  public String name() {
    return "granite";
  }

  @Override
  public boolean matches(String template) {
    return template.contains(BEGIN);
  }

  @Override
  public Set<String> markers() {
    return Set.of(BEGIN, "<tool_call>", "<think>", "</think>");
  }

  @Override
  public AnswerParser parser(List<Tool> tools, String promptEnd) {
    List<String> tags = tools.isEmpty() ? List.of() : List.of(BEGIN, "<tool_call>");
    return new TaggedParser("<think>", "</think>", promptEnd) {
      @Override
      boolean says() {
        return words(
            tags,
            tag -> {
              mark();
              skip(tag.length());
              become(calls(this::says));
            });
      }
    };
  }

  @Override
  public String thoughtsEnd(String promptEnd) {
    return TaggedParser.isWithin("<think>", promptEnd) ? "</think>" : "";
  }

  @Override
  public Optional<CallSyntax> callSyntax(String tool, String template) {
    String name = TaggedParser.quoted(tool);
    return Optional.of(
        new CallSyntax(BEGIN, BEGIN + "[{\"name\": " + name + ", \"arguments\": ", "}]"));
  }
}
