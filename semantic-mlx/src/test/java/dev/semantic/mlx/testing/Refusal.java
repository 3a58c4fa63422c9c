package dev.semantic.mlx.testing;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.function.Executable;

/** The assertion that something is refused in words that help: the thing, the place, the remedy. */
public final class Refusal {
  private Refusal() {}

  /**
   * Asserts that {@code action} throws {@code type} and that its message has all the words.
   *
   * @return what was thrown
   */
  public static <T extends Throwable> T assertRefused(
      Class<T> type, Executable action, String... words) {
    T thrown = assertThrows(type, action);
    String message = String.valueOf(thrown.getMessage());
    for (String word : words) {
      assertTrue(message.contains(word), () -> "\"" + word + "\" is not in: " + message);
    }
    return thrown;
  }
}
