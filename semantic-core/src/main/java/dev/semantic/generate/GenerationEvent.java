package dev.semantic.generate;

/** What is heard of a generation while it runs: tokens, then one end. */
public sealed interface GenerationEvent {
  /**
   * One more token.
   *
   * @param text what became readable with it; may be empty
   */
  record Token(int id, String text) implements GenerationEvent {}

  /** The end of an answer. */
  record Finished(GenerationResult result) implements GenerationEvent {}

  /**
   * The end of an answer that could not be given, or not to its end.
   *
   * @param cause what {@link Generation#await()} throws, too
   */
  record Failed(RequestException cause) implements GenerationEvent {}
}
