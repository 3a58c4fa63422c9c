package dev.semantic.engine;

import dev.semantic.engine.IdleSequences.IdleSequence;
import dev.semantic.generate.FinishReason;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.kv.AgentId;
import dev.semantic.model.ModelTag;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.TokenMatcher.Next;
import dev.semantic.timeline.Nanos;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.HashSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One request, from when it was asked until it has ended: with what it waits for, and once it was
 * begun with the sequence that it goes on in and the answer that there is so far. Whoever has it by
 * its {@linkplain Status status} changes it: the queue under the engine's lock, or the scheduler's
 * thread.
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

  /** While others wait for their next token. */
  static final int SHORT_CHUNK = 128;

  private final GenerationRequest request;
  private final RequestOutput generation;
  private final Timeline timeline;
  private final long submitted;
  private final long deadline;
  private final long limit;
  private volatile Status status = Status.WAITING; // by whoever has it
  private volatile @Nullable PromptTokens made;
  private long preemptedUntil; // under the engine's lock

  // once it was begun
  private volatile @Nullable Answer answer;
  private long order;
  private @Nullable IdleSequence sequence; // null while it is suspended: nothing may hold the model
  private @Nullable ServingModel serving;
  private int cached;
  private int computed; // how many of its tokens the sequence holds
  private int underWay; // how many of them are being computed
  private boolean due; // its next token is, from these logits, once its constraint lets it
  private float @Nullable [] logits;
  private @Nullable AnswerConstraint constraint;
  private long seen = -1; // how many had fallen silent when it looked for its beginning
  private final Set<IdleSequence> refusedBy = new HashSet<>(); // sequences that cannot be shared

  /**
   * One that nobody has looked at.
   *
   * @param submitted by the clock of {@code timeline}
   * @param deadline the same clock: when it must have been begun; {@link Nanos#FOREVER} for never
   * @param limit the same clock: when it must have ended; {@link Nanos#FOREVER} for never
   */
  private Request(
      GenerationRequest request,
      RequestOutput generation,
      Timeline timeline,
      long submitted,
      long deadline,
      long limit) {
    this.request = request;
    this.generation = generation;
    this.timeline = timeline;
    this.submitted = submitted;
    this.deadline = deadline;
    this.limit = limit;
  }

  static Request of(
      GenerationRequest request,
      RequestOutput generation,
      Timeline timeline,
      Duration maxQueueTime) {
    long now = timeline.nanoTime();
    Duration wait =
        request.deadline().filter(own -> own.compareTo(maxQueueTime) < 0).orElse(maxQueueTime);
    Duration all = request.timeLimit().orElse(ChronoUnit.FOREVER.getDuration());
    Duration first = all.compareTo(wait) < 0 ? all : wait;
    return new Request(
        request, generation, timeline, now, Nanos.after(now, first), Nanos.after(now, all));
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

  /** With nothing to be made of it, nor to be looked at. */
  private boolean isMadeOfTokens() {
    return request.prompt() instanceof Prompt.Tokens && request.constraint().isEmpty();
  }

  private boolean isForAnother(ServingModel serving) {
    return request.model().filter(id -> !id.equals(serving.model().spec().id())).isPresent();
  }

  /**
   * Those of its prompt, once it is ready.
   *
   * @throws RequestException if they cannot be had
   */
  int[] prompt() {
    return isMadeOfTokens() && request.prompt() instanceof Prompt.Tokens tokens
        ? tokens.ids()
        : Objects.requireNonNull(made, "begun before its prompt was ready").orThrow();
  }

  /** Ends it with what there is of an answer, or else with this. */
  void end(RequestException cause) {
    Answer begun = answer;
    if (begun != null) {
      begun.end(isOver(timeline.nanoTime()) ? reasonOfEnd() : FinishReason.PREEMPTED);
      generation.finish(result());
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
    Answer begun = answer;
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

  private FinishReason reasonOfEnd() {
    return generation.isCancelled() ? FinishReason.CANCELLED : FinishReason.TIME_LIMIT;
  }

  /**
   * Begins it.
   *
   * @param order no other's; less is earlier
   * @param prompt its tokens
   * @param held how many of them the sequence holds; fewer than all
   */
  void begin(long order, IdleSequence with, ServingModel model, int[] prompt, int held) {
    Answer first = new Answer(request, prompt, model, timeline.nanoTime());
    this.order = order;
    sequence = with;
    serving = model;
    cached = held;
    computed = held;
    answer = first; // last: it is begun
  }

  boolean wasBegun() {
    return answer != null;
  }

  /** What there is of it; only of one that was begun. */
  Answer answer() {
    return Objects.requireNonNull(answer, "not begun");
  }

  /** No two have the same; less is earlier. */
  long order() {
    return order;
  }

  IdleSequence sequence() {
    return Objects.requireNonNull(sequence, "suspended");
  }

  ServingModel serving() {
    return Objects.requireNonNull(serving, "suspended");
  }

  /**
   * Sees to it that the answer is what was asked for, from its first token or from where it is.
   *
   * @param threads find out what may come next
   * @param wake lets the scheduler know when it is known
   */
  void constrain(WorkerThreads threads, Runnable wake) {
    PromptTokens looked = made;
    if (looked != null && looked.constraint().isPresent()) {
      Answer begun = answer();
      int[] said = begun.tokens(begun.promptLength(), begun.length());
      AnswerConstraint its =
          new AnswerConstraint(
              looked.constraint().get(), serving().text(), said, timeline.monitor(), wake);
      constraint = its;
      threads.start(its);
    }
  }

  /** Nothing more is drawn for it, unless it is begun or resumed. Allocates nothing. */
  void release() {
    dropLogits();
    if (constraint != null) {
      constraint.close();
      constraint = null;
    }
  }

  private void dropLogits() {
    due = false;
    logits = null;
  }

  /** Lets go of sequence and model; whoever calls keeps or closes the sequence. */
  void suspend() {
    sequence = null;
    serving = null;
    refusedBy.clear();
    answer().suspend();
  }

  /**
   * Goes on where it was suspended.
   *
   * @param with holds the first {@code held} of its tokens, fewer than all
   */
  void resume(ServingModel again, IdleSequence with, int held) {
    serving = again;
    sequence = with;
    computed = held;
    answer().resume(again);
  }

  /** Goes on with a sequence that holds more of its prompt than its own. */
  void beginWith(IdleSequence more, int tokens) {
    sequence = more;
    computed = tokens;
    cached = tokens;
  }

  /** Computes everything again, in another sequence; what has been said stays said. */
  void startOver(IdleSequence empty) {
    dropLogits();
    beginWith(empty, 0);
    seen = -1;
  }

  boolean inPrefill() {
    return answer().isEmpty() || answer().length() - computed > 1;
  }

  boolean decodes() {
    return !inPrefill() && answer().reason() == null;
  }

  /** Whether nothing of its prompt has been computed for it yet. */
  boolean isUntouched() {
    return answer().isEmpty() && computed == cached;
  }

  int computed() {
    return computed;
  }

  /** Whether it has not looked at those who are idle since the last of them came. */
  boolean looksAt(long comings) {
    boolean news = comings != seen;
    seen = comings;
    return news;
  }

  boolean wasRefusedBy(IdleSequence donor) {
    return refusedBy.contains(donor);
  }

  void refusedBy(IdleSequence donor) {
    refusedBy.add(donor);
  }

  /** Ends it here if it was cancelled, or has taken all its time. */
  void endIfOver() {
    if (answer().reason() == null && isOver(timeline.nanoTime())) {
      answer().end(reasonOfEnd());
    }
  }

  /** What is to be computed next: a part of the prompt, or the last token. */
  Chunk next(boolean othersWait) {
    generation.begin();
    int most = othersWait ? Math.min(request.prefillChunk(), SHORT_CHUNK) : request.prefillChunk();
    int length = answer().length();
    underWay = Math.min(length - computed, most);
    int end = computed + underWay;
    return new Chunk(sequence().sequence(), answer().tokens(computed, end), end == length);
  }

  /**
   * Takes what {@link #next} gave: a token, unless the prompt goes on, or its constraint is not
   * known yet.
   *
   * @throws RequestException if no token can be drawn from these logits
   */
  void advance(float @Nullable [] given) {
    computed += underWay;
    if (computed == answer().length()) {
      due = true;
      logits = given;
      settle();
    }
  }

  /** Whether a token is to be drawn before more can be computed. */
  boolean isDue() {
    return due;
  }

  /** Whether there is nothing to do for it until its constraint is known. */
  boolean awaitsConstraint() {
    return due
        && constraint != null
        && !constraint.isReady()
        && answer().reason() == null
        && !isOver(timeline.nanoTime());
  }

  /**
   * Draws the token that is due, or takes those that must come, if it is known which may.
   *
   * @throws RequestException if none can be drawn
   */
  void settle() {
    AnswerConstraint its = constraint;
    Answer begun = answer();
    if (!due || begun.reason() != null || (its != null && !its.isReady())) {
      return;
    }
    float[] from = logits;
    dropLogits();
    long now = timeline.nanoTime();
    if (its == null) {
      begun.draw(from, null, serving(), generation, now);
      return;
    }
    int before = begun.length();
    Next next = its.next();
    if (next.forced().length > 0) {
      begun.force(next.forced(), serving(), generation, now);
    } else {
      begun.draw(from, next.allowed(), serving(), generation, now);
    }
    if (begun.reason() == null) {
      its.take(begun.tokens(before, begun.length()));
    }
  }

  /** The answer as it stands. */
  GenerationResult result() {
    return answer().result(cached, submitted, timeline.nanoTime());
  }
}
