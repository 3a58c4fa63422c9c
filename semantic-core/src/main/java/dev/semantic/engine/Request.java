package dev.semantic.engine;

import dev.semantic.generate.FinishReason;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.kv.AgentId;
import dev.semantic.model.ModelTag;
import dev.semantic.timeline.Nanos;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One request, from when it was asked until it has ended: with what it waits for, and once it was
 * begun with what has been computed for it.
 */
final class Request {
  /** Where it is; one whose output is done has ended. */
  enum Status {
    /** In the queue: nothing has been computed for it. */
    WAITING,
    /** Begun; what its agent has parked is being read. */
    LOADING_KV,
    /** Begun; the model is stepped for it. */
    RUNNING,
    /** In the queue: it was stopped between two tokens, and goes on when its model serves. */
    PREEMPTED
  }

  private final GenerationRequest request;
  private final RequestOutput generation;
  private final long submitted;
  private final long deadline;
  private final long limit;
  private volatile Status status = Status.WAITING; // by whoever has it
  private volatile @Nullable PromptTokens made;
  private volatile @Nullable RunningRequest progress;
  private long preemptedUntil; // under the engine's lock

  /**
   * One that nobody has looked at.
   *
   * @param submitted {@link System#nanoTime()}
   * @param deadline the same clock: when it must have been begun; {@link Nanos#FOREVER} for never
   * @param limit the same clock: when it must have ended; {@link Nanos#FOREVER} for never
   */
  private Request(
      GenerationRequest request,
      RequestOutput generation,
      long submitted,
      long deadline,
      long limit) {
    this.request = request;
    this.generation = generation;
    this.submitted = submitted;
    this.deadline = deadline;
    this.limit = limit;
  }

  static Request of(
      GenerationRequest request, RequestOutput generation, long now, Duration maxQueueTime) {
    Duration wait =
        request.deadline().filter(own -> own.compareTo(maxQueueTime) < 0).orElse(maxQueueTime);
    Duration all = request.timeLimit().orElse(ChronoUnit.FOREVER.getDuration());
    Duration first = all.compareTo(wait) < 0 ? all : wait;
    return new Request(request, generation, now, Nanos.after(now, first), Nanos.after(now, all));
  }

  GenerationRequest request() {
    return request;
  }

  RequestOutput generation() {
    return generation;
  }

  Optional<AgentId> agent() {
    return request.agent();
  }

  long submitted() {
    return submitted;
  }

  long deadline() {
    return deadline;
  }

  Status status() {
    return status;
  }

  void become(Status next) {
    status = next;
  }

  /** It waits for its model, no longer than until then. */
  void preempt(long until) {
    preemptedUntil = until;
    status = Status.PREEMPTED;
  }

  long preemptedUntil() {
    return preemptedUntil;
  }

  /** What has been computed for it; null before it was begun. */
  @Nullable RunningRequest progress() {
    return progress;
  }

  void begun(RunningRequest first) {
    progress = first;
  }

  /** Somebody begins with its prompt; whoever did before does so for another model. */
  void tokenizedBy(PromptTokens maker) {
    made = maker;
  }

  /** Whether nothing of its prompt is left to do before this model can begin it, or refuse it. */
  @SuppressWarnings("ReferenceEquality") // another beginning of the same model is another one
  boolean isReadyFor(ServingModel serving) {
    PromptTokens present = made;
    return isMadeOfTokens()
        || isForAnother(serving)
        || (present != null && present.by() == serving && present.isMade());
  }

  /** Whether somebody has to begin with its prompt. */
  @SuppressWarnings("ReferenceEquality")
  boolean needsTokensOf(ServingModel serving) {
    PromptTokens present = made;
    return status == Status.WAITING
        && !isMadeOfTokens()
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
        : Objects.requireNonNull(made, "begun before its prompt was ready").orThrow();
  }

  /** Ends it with what there is of an answer, or else with this. */
  void end(RequestException cause) {
    RunningRequest begun = progress;
    if (begun != null) {
      begun.endAway();
      return;
    }
    generation.fail(cause);
    PromptTokens present = made;
    if (present != null) {
      present.abandon(); // whoever is at its prompt may stop
    }
  }

  /** Whether it was begun with these weights. */
  boolean isFor(ModelTag tag) {
    RunningRequest begun = progress;
    return begun != null && begun.tag().equals(tag);
  }

  int priority() {
    return request.priority();
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
  FinishReason reasonOfEnd() {
    return generation.isCancelled() ? FinishReason.CANCELLED : FinishReason.TIME_LIMIT;
  }
}
