package dev.semantic.generate;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A request under way. Its events stay here, so that a slow or absent reader holds nobody up, and
 * everybody who reads them sees all; there are at most as many as tokens were asked for. Any
 * thread.
 */
public interface Generation {
  /**
   * Ends it before its next token; what has been generated is its answer. One that has not been
   * begun has none, and fails.
   */
  void cancel();

  /** Whether it has ended. */
  boolean isDone();

  /**
   * Waits for the answer.
   *
   * @throws RequestException if there is none: the one that {@link #events} tells, too; or of the
   *     kind {@link RequestException.Kind#INTERRUPTED} if the wait was interrupted, which the
   *     thread stays; the generation goes on then
   */
  GenerationResult await();

  /**
   * Waits for the answer, but not for ever.
   *
   * @param atMost any duration; null for as long as it takes
   * @throws RequestException as {@link #await()} does, and of the kind {@link
   *     RequestException.Kind#TIME_LIMIT} if there is none in time; the generation goes on then
   */
  GenerationResult await(@Nullable Duration atMost);

  /**
   * The events in order from the first, as they come: to go through, or to subscribe to. Each call
   * begins anew: several may read, each sees them all.
   */
  GenerationEvents events();

  /**
   * The answer, when it is there. It fails with what {@link #await()} throws; to cancel it is to
   * cancel the generation. What depends on it runs on a thread of its own, and holds nobody up.
   */
  CompletableFuture<GenerationResult> toCompletableFuture();
}
