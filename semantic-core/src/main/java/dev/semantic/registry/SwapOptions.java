package dev.semantic.registry;

import java.time.Duration;

/**
 * How a swap is to be done.
 *
 * @param drainTimeout how long requests under way may take to come to their end
 */
public record SwapOptions(Duration drainTimeout) {
  /** Half a minute for the requests under way. */
  public static final SwapOptions USUAL = new SwapOptions(Duration.ofSeconds(30));

  public SwapOptions {
    if (drainTimeout.isNegative()) {
      throw new IllegalArgumentException("A drain cannot time out after " + drainTimeout);
    }
  }
}
