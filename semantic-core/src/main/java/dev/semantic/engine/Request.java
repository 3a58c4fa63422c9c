package dev.semantic.engine;

import dev.semantic.generate.FinishReason;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.timeline.Nanos;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A request in the queue.
 *
 * @param submitted {@link System#nanoTime()}
 * @param deadline the same clock: when it must have been begun; {@link Nanos#FOREVER} for never
 * @param limit the same clock: when it must have ended; {@link Nanos#FOREVER} for never
 * @param made what its prompt is to the model that was asked for last; under the engine's lock
 */
record Request(
    GenerationRequest request,
    RequestOutput generation,
    long submitted,
    long deadline,
    long limit,
    AtomicReference<@Nullable PromptTokens> made) {
  static Request of(
      GenerationRequest request, RequestOutput generation, long now, Duration maxQueueTime) {
    Duration wait =
        request.deadline().filter(own -> own.compareTo(maxQueueTime) < 0).orElse(maxQueueTime);
    Duration all = request.timeLimit().orElse(ChronoUnit.FOREVER.getDuration());
    Duration first = all.compareTo(wait) < 0 ? all : wait;
    return new Request(
        request,
        generation,
        now,
        Nanos.after(now, first),
        Nanos.after(now, all),
        new AtomicReference<>());
  }

  /** Whether nothing of its prompt is left to do before this model can begin it, or refuse it. */
  @SuppressWarnings("ReferenceEquality") // another beginning of the same model is another one
  boolean isReadyFor(ServingModel serving) {
    PromptTokens present = made.get();
    return isMadeOfTokens()
        || isForAnother(serving)
        || (present != null && present.by() == serving && present.isMade());
  }

  /** Whether somebody has to begin with its prompt. */
  @SuppressWarnings("ReferenceEquality")
  boolean needsTokensOf(ServingModel serving) {
    PromptTokens present = made.get();
    return !isMadeOfTokens()
        && !isForAnother(serving)
        && (present == null || present.by() != serving);
  }

  private boolean isMadeOfTokens() {
    return request.prompt() instanceof Prompt.Tokens;
  }

  private boolean isForAnother(ServingModel serving) {
    return request.model().filter(id -> !id.equals(serving.model().spec().id())).isPresent();
  }

  /**
   * Those of its prompt, once it is ready.
   *
   * @throws RequestException if they cannot be had
   */
  int[] tokens() {
    return request.prompt() instanceof Prompt.Tokens tokens
        ? tokens.ids()
        : Objects.requireNonNull(made.get(), "begun before its prompt was ready").orThrow();
  }

  /** Fails it where it waits, and whoever is at its prompt may stop. */
  void fail(RequestException cause) {
    generation.fail(cause);
    PromptTokens present = made.get();
    if (present != null) {
      present.abandon();
    }
  }

  int priority() {
    return request.priority();
  }

  boolean expired(long now) {
    return Nanos.until(deadline, now) <= 0;
  }

  /**
   * Nanoseconds until it must have ended or, while nothing of it is computed, begun; 0 or less once
   * it must have.
   */
  long untilLimit(long now) {
    return Nanos.until(generation.isBegun() ? limit : deadline, now);
  }

  /** Whether nobody wants more of it: it was cancelled, or out of time. */
  boolean isOver(long now) {
    return generation.isCancelled() || untilLimit(now) <= 0;
  }

  /** Why one that is over ends. */
  FinishReason end() {
    return generation.isCancelled() ? FinishReason.CANCELLED : FinishReason.TIME_LIMIT;
  }
}
