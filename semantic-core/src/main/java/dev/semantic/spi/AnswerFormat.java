package dev.semantic.spi;

import dev.semantic.generate.Tool;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * How a family of models writes what it thinks, says and wants done. Families are told apart by
 * what their chat templates write, not by models' names. The library knows the common ones; others
 * are found as services ({@link java.util.ServiceLoader}) and asked first. For any thread.
 */
public interface AnswerFormat {
  /** What it is called, for messages: {@code hermes}. */
  String name();

  /**
   * Whether a model's answers are written so.
   *
   * @param template the source of its chat templates; empty where there are none
   */
  boolean matches(String template);

  /**
   * Special tokens that an answer is made of, as they are written. A parser is shown these and no
   * others: {@code <|python_tag|>}.
   */
  Set<String> markers();

  /**
   * Reads one answer.
   *
   * @param tools what may be called; none where calls are to stay text
   * @param promptEnd how the prompt ends: it may have opened the thoughts already
   */
  AnswerParser parser(List<Tool> tools, String promptEnd);

  /**
   * What stands around a call's arguments where they are JSON, so that an answer can be made to be
   * a call.
   *
   * @param template the source of the chat templates
   * @return empty where this format writes arguments in another way
   */
  default Optional<CallSyntax> callSyntax(String tool, String template) {
    return Optional.empty();
  }

  /**
   * What an answer must say first where the prompt ends within thoughts: their end.
   *
   * @param promptEnd how the prompt ends
   * @return empty where it does not
   */
  default String thoughtsEnd(String promptEnd) {
    return "";
  }

  /**
   * A call in a model's own words.
   *
   * @param trigger what {@code before} begins with, by which a call is known from words
   * @param before its arguments; may have {@link #markers} in it
   * @param behind its arguments
   */
  record CallSyntax(String trigger, String before, String behind) {}
}
