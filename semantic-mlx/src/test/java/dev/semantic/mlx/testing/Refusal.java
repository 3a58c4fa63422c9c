package dev.semantic.mlx.testing;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.function.Executable;

/** The assertion that something is refused in words that help: the thing, the place, the remedy. */
public final class Refusal {
  private Refusal() {}

  /** Asserts that {@code action} throws {@code type} and that its message has all the words. */
  public static <T extends Throwable> void assertRefused(
      Class<T> type, Executable action, String... words) {
    String message = String.valueOf(assertThrows(type, action).getMessage());
    for (String word : words) {
      assertTrue(message.contains(word), () -> "\"" + word + "\" is not in: " + message);
    }
  }
}
