package dev.semantic.engine;

import dev.semantic.generate.DrainPolicy;
import java.time.Duration;
import java.util.Objects;
import java.util.function.BooleanSupplier;

/**
 * How an engine is to be drained.
 *
 * @param atMost how long it may take; afterwards everything goes on as before
 * @param returnWithin how long a request that was preempted waits for its model to return, once
 *     another one serves
 * @param cancelled whether nobody wants the drain any more; asked whenever the engine is woken
 */
public record DrainOrder(
    DrainPolicy policy, Duration atMost, Duration returnWithin, BooleanSupplier cancelled) {
  public DrainOrder {
    Objects.requireNonNull(policy, "policy must not be null");
    Objects.requireNonNull(atMost, "atMost must not be null");
    Objects.requireNonNull(returnWithin, "returnWithin must not be null");
    Objects.requireNonNull(cancelled, "cancelled must not be null");
  }

  /** Everything that was begun may end, for so long. */
  public static DrainOrder finish(Duration atMost) {
    return new DrainOrder(DrainPolicy.FINISH, atMost, Duration.ZERO, () -> false);
  }
}
