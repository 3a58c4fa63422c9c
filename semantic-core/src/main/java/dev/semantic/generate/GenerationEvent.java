package dev.semantic.generate;

import java.util.Optional;

/**
 * What is heard of a generation while it runs: tokens, then one end. Where a conversation is
 * answered, what each token adds to the assistant's message follows it.
 */
public sealed interface GenerationEvent {
  /**
   * One more token.
   *
   * @param text what became readable with it; may be empty
   * @param logProbs how likely it was, where that was asked for
   */
  record Token(int id, String text, Optional<LogProbs> logProbs) implements GenerationEvent {
    /** Nobody asked how likely it was. */
    public Token(int id, String text) {
      this(id, text, Optional.empty());
    }
  }

  /** What an assistant's message is made of. */
  sealed interface Part extends GenerationEvent {}

  /** More of what the model thinks. */
  record Reasoning(String text) implements Part {}

  /** More of what it says. */
  record Text(String text) implements Part {}

  /**
   * It begins to call a tool.
   *
   * @param index 0 for the first call of the answer
   */
  record CallBegun(int index, String id, String name) implements Part {}

  /**
   * More of a call's arguments.
   *
   * @param json its next characters
   */
  record CallArguments(int index, String json) implements Part {}

  /** A call is complete. */
  record CallComplete(int index, ToolCall call) implements Part {}

  /**
   * What looked like a call is none, be it begun or not: it is part of what is said.
   *
   * @param text all of it, as the model wrote it
   * @param reason for people
   */
  record BrokenCall(String text, String reason) implements Part {}

  /** The end of an answer. */
  record Finished(GenerationResult result) implements GenerationEvent {}

  /**
   * The end of an answer that could not be given, or not to its end.
   *
   * @param cause what {@link Generation#await()} throws, too
   */
  record Failed(RequestException cause) implements GenerationEvent {}

  /** Whether nothing comes behind it. */
  default boolean isEnd() {
    return this instanceof Finished || this instanceof Failed;
  }
}
