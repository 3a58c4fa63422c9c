package dev.semantic.formats;

import dev.semantic.generate.Tool;
import dev.semantic.spi.AnswerFormat;
import dev.semantic.spi.AnswerParser;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Hermes, Qwen and many others: {@code <tool_call>{"name": …, "arguments": {…}}</tool_call>}, one
 * pair of tags for each call; thoughts in {@code <think>}.
 */
final class Hermes implements AnswerFormat {
  private static final String BEGIN = "<tool_call>";
  private static final String END = "</tool_call>";

  @Override
  public String name() {
    return "hermes";
  }

  @Override
  public boolean matches(String template) {
    return template.contains(BEGIN);
  }

  @Override
  public Set<String> markers() {
    return Set.of(BEGIN, END, "<think>", "</think>");
  }

  @Override
  public AnswerParser parser(List<Tool> tools, String promptEnd) {
    List<String> tags = tools.isEmpty() ? List.of() : List.of(BEGIN);
    return new TaggedParser("<think>", "</think>", promptEnd) {
      @Override
      boolean says() {
        return words(
            tags,
            tag -> {
              mark();
              skip(tag.length());
              become(call(closedBy(List.of(END), this::says)));
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
        new CallSyntax(BEGIN, BEGIN + "\n{\"name\": " + name + ", \"arguments\": ", "}\n" + END));
  }
}
