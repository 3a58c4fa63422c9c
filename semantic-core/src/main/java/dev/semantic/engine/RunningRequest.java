package dev.semantic.engine;

import dev.semantic.engine.IdleSequences.IdleSequence;
import dev.semantic.generate.FinishReason;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.RequestException;
import dev.semantic.kv.AgentId;
import dev.semantic.model.ModelTag;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.Tokenizer;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One request being worked on: its sequence, what of its prompt is left, what it has said. */
final class RunningRequest {
  /** Of a suspended one: its text codec may be closed before it goes on. */
  private static final Tokenizer.TokenStream NO_STREAM =
      new Tokenizer.TokenStream() {
        @Override
        public String next(int token) {
          throw new IllegalStateException("suspended");
        }

        @Override
        public String rest() {
          return "";
        }
      };

  /** While others wait for their next token. */
  static final int SHORT_CHUNK = 128;

  private final Request request;
  private final long order;
  private final Timeline timeline;
  private final ModelTag tag;
  private @Nullable IdleSequence
      idleSequence; // null while it is suspended: nothing may hold the model
  private @Nullable ServingModel serving;
  private final int promptLength;
  private final BlockHashes blocks;
  private final Set<IdleSequence> refusedBy = new HashSet<>(); // sequences that cannot be shared
  private int cached;
  private final Sampler sampler;
  private final StopStrings stops;
  private Tokenizer.TokenStream stream;
  private final StringBuilder text = new StringBuilder();
  private final List<Integer> generated = new ArrayList<>();
  private final long begun;

  private int[] history; // prompt and generated tokens
  private int length;
  private int computed; // how many of history the sequence holds
  private int underWay; // how many of them are being computed
  private long firstToken;
  private long lastToken;
  private long seen = -1; // how many had fallen silent when it looked for its beginning
  private @Nullable FinishReason reason;

  /**
   * Begins a request.
   *
   * @param order no other's; less is earlier
   * @param prompt its tokens
   * @param cached how many of them the sequence already holds; fewer than all
   */
  RunningRequest(
      Request request,
      long order,
      IdleSequence idleSequence,
      ServingModel serving,
      int[] prompt,
      int cached,
      Timeline timeline) {
    GenerationRequest asked = request.request();
    this.request = request;
    this.order = order;
    this.timeline = timeline;
    this.begun = timeline.nanoTime();
    this.tag = serving.model().spec().tag();
    this.idleSequence = idleSequence;
    this.serving = serving;
    this.promptLength = prompt.length;
    this.blocks = BlockHashes.of(prompt, prompt.length);
    this.cached = cached;
    this.history = Arrays.copyOf(prompt, prompt.length + Math.min(asked.maxTokens(), 1024));
    this.length = prompt.length;
    this.computed = cached;
    this.sampler = new Sampler(asked.sampling());
    this.stops = new StopStrings(asked.stop());
    this.stream = serving.text().stream(asked.ignoreEos());
  }

  Request request() {
    return request;
  }

  Optional<AgentId> agent() {
    return request.agent();
  }

  int priority() {
    return request.priority();
  }

  /** No two have the same; less is earlier. */
  long order() {
    return order;
  }

  /** The weights it is meant to be finished with. */
  ModelTag tag() {
    return tag;
  }

  IdleSequence hot() {
    return Objects.requireNonNull(idleSequence, "suspended");
  }

  boolean inPrefill() {
    return generated.isEmpty() || length - computed > 1;
  }

  ServingModel serving() {
    return Objects.requireNonNull(serving, "suspended");
  }

  /** Lets go of sequence and model; whoever calls keeps or closes the sequence. */
  void suspend() {
    idleSequence = null;
    serving = null;
    refusedBy.clear();
    stream = NO_STREAM;
  }

  /** All tokens so far, prompt and answer. */
  int[] said() {
    return Arrays.copyOf(history, length);
  }

  /**
   * Goes on where it was suspended.
   *
   * @param sequence holds the first {@code held} of {@link #said()}, fewer than all
   */
  void resume(ServingModel again, IdleSequence sequence, int held) {
    serving = again;
    idleSequence = sequence;
    computed = held;
    stream = again.text().stream(request.request().ignoreEos());
    for (int token : generated) { // what it has shown it has shown; bytes it holds back it needs
      stream.next(token);
    }
  }

  /** Whether nothing of its prompt has been computed for it yet. */
  boolean isUntouched() {
    return generated.isEmpty() && computed == cached;
  }

  int computed() {
    return computed;
  }

  int promptLength() {
    return promptLength;
  }

  /** Those of its prompt. */
  BlockHashes blocks() {
    return blocks;
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

  /** Goes on with a sequence that holds more of its prompt than its own. */
  void beginWith(IdleSequence more, int tokens) {
    idleSequence = more;
    computed = tokens;
    cached = tokens;
  }

  /** Computes everything again, in another sequence; what has been said stays said. */
  void startOver(IdleSequence empty) {
    idleSequence = empty;
    computed = 0;
    cached = 0;
    seen = -1;
  }

  @Nullable FinishReason reason() {
    return reason;
  }

  /** Ends it here if it was cancelled, or has taken all its time. */
  void endIfOver() {
    if (reason == null && request.isOver(timeline.nanoTime())) {
      reason = request.reasonOfEnd();
    }
  }

  /** How many tokens the sequence must hold for the next token: a prompt is booked whole. */
  int lengthAhead() {
    return length;
  }

  /** What is to be computed next: a part of the prompt, or the last token. */
  Chunk next(boolean othersWait) {
    request.generation().begin();
    int chunk = request.request().prefillChunk();
    int most = othersWait ? Math.min(chunk, SHORT_CHUNK) : chunk;
    underWay = Math.min(length - computed, most);
    int end = computed + underWay;
    return new Chunk(hot().sequence(), Arrays.copyOfRange(history, computed, end), end == length);
  }

  /**
   * Takes what {@link #next} gave: a token, unless the prompt goes on.
   *
   * @throws RequestException if no token can be drawn from these logits
   */
  void advance(float @Nullable [] logits) {
    computed += underWay;
    if (computed < length) {
      return;
    }
    int vocabulary = serving().model().spec().vocabularySize();
    if (logits == null || logits.length != vocabulary) {
      throw new RequestException(
          RequestException.Kind.FAILED,
          "The model gave %s logits for a vocabulary of %d"
              .formatted(logits == null ? "no" : logits.length, vocabulary));
    }
    int token = sampler.next(logits, history, length);
    lastToken = timeline.nanoTime();
    if (generated.isEmpty()) {
      firstToken = lastToken;
    }
    accept(token);
  }

  private void accept(int token) {
    generated.add(token);
    if (length == history.length) {
      history = Arrays.copyOf(history, length * 2);
    }
    history[length++] = token;
    GenerationRequest asked = request.request();
    boolean ends = !asked.ignoreEos() && serving().text().endTokens().contains(token);
    String shown = ends ? "" : stops.accept(stream.next(token));
    if (ends) {
      reason = FinishReason.END_TOKEN;
    } else if (stops.found()) {
      reason = FinishReason.STOP_STRING;
    } else if (generated.size() >= asked.maxTokens()) {
      reason = FinishReason.MAX_TOKENS;
    } else if (length >= serving().model().spec().contextLength()) {
      reason = FinishReason.CONTEXT_FULL;
    }
    if (reason != null) {
      shown += heldBack();
    }
    text.append(shown);
    request.generation().token(token, shown);
  }

  private String heldBack() {
    return stops.found() ? "" : stops.accept(stream.rest()) + stops.rest();
  }

  /** Ends one that is suspended, with what it has: it is over, or its model does not return. */
  void endAway() {
    reason = request.isOver(timeline.nanoTime()) ? request.reasonOfEnd() : FinishReason.PREEMPTED;
    request.generation().finish(result());
  }

  /** The answer as it stands; what a cancelled one held back is not in its events. */
  GenerationResult result() {
    if (reason == FinishReason.CANCELLED
        || reason == FinishReason.PREEMPTED
        || reason == FinishReason.TIME_LIMIT) {
      text.append(heldBack());
    }
    long first = generated.isEmpty() ? timeline.nanoTime() : firstToken;
    return new GenerationResult(
        tag,
        promptLength,
        cached,
        generated,
        text.toString(),
        reason == null ? FinishReason.CANCELLED : reason,
        Duration.ofNanos(first - request.submitted()),
        Duration.ofNanos(first - begun),
        Duration.ofNanos(generated.isEmpty() ? 0 : lastToken - firstToken));
  }
}
