package dev.semantic.generate;

/**
 * One message of a conversation.
 *
 * @param role as the model's template knows it: {@code system}, {@code user}, {@code assistant}
 */
public record ChatMessage(String role, String content) {
  public static ChatMessage system(String content) {
    return new ChatMessage("system", content);
  }

  public static ChatMessage user(String content) {
    return new ChatMessage("user", content);
  }

  public static ChatMessage assistant(String content) {
    return new ChatMessage("assistant", content);
  }
}
