package dev.semantic.engine;

import dev.semantic.generate.ChatMessage;
import dev.semantic.generate.FinishReason;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.LogProbs;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.model.ModelTag;
import dev.semantic.spi.Tokenizer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is said for a request that was begun: the tokens of its prompt, then those that are drawn,
 * and the text that they make.
 */
final class Answer {
  /** Of a suspended one: its model's tokenizer may be closed before it goes on. */
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

  private final GenerationRequest asked;
  private final ModelTag tag;
  private final int promptLength;
  private final BlockHashes promptBlocks;
  private final long begun;
  private final Sampler sampler;
  private final StopStrings stops;
  private final @Nullable AnswerReader reader; // of a conversation
  private Tokenizer.TokenStream stream;
  private final StringBuilder text = new StringBuilder();
  private final List<Integer> generated = new ArrayList<>();
  private int[] tokens; // prompt and generated ones
  private int length;
  private long firstToken;
  private long lastToken;
  private @Nullable FinishReason reason;

  /** Nothing is drawn yet. */
  Answer(GenerationRequest asked, int[] prompt, ServingModel serving, long now) {
    this.asked = asked;
    this.tag = serving.model().spec().tag();
    this.promptLength = prompt.length;
    this.promptBlocks = BlockHashes.of(prompt, prompt.length);
    this.begun = now;
    this.sampler = new Sampler(asked.sampling());
    this.stops = new StopStrings(asked.stop());
    this.reader =
        asked.prompt() instanceof Prompt.Chat chat
            ? new AnswerReader(chat, prompt, serving.format(), serving.text().detokenizer())
            : null;
    this.stream = serving.text().stream(asked.ignoreEos());
    this.tokens = Arrays.copyOf(prompt, prompt.length + Math.min(asked.maxTokens(), 1024));
    this.length = prompt.length;
  }

  /** The weights it is meant to be finished with. */
  ModelTag tag() {
    return tag;
  }

  int promptLength() {
    return promptLength;
  }

  BlockHashes promptBlocks() {
    return promptBlocks;
  }

  /** How many tokens there are, prompt and answer. */
  int length() {
    return length;
  }

  /** All of them. */
  int[] tokens() {
    return tokens(0, length);
  }

  int[] tokens(int from, int to) {
    return Arrays.copyOfRange(tokens, from, to);
  }

  /** Whether no token of it was drawn yet. */
  boolean isEmpty() {
    return generated.isEmpty();
  }

  /** Why it ended; null while it goes on. */
  @Nullable FinishReason reason() {
    return reason;
  }

  void end(FinishReason why) {
    reason = why;
  }

  /** Lets go of the model's tokenizer. */
  void suspend() {
    stream = NO_STREAM;
  }

  /** What it has shown it has shown; bytes that a tokenizer holds back it needs again. */
  void resume(ServingModel again) {
    stream = again.text().stream(asked.ignoreEos());
    for (int token : generated) {
      stream.next(token);
    }
  }

  /**
   * Draws the next token and shows it.
   *
   * @param allowed the tokens that may come; null for all
   * @throws RequestException if no token can be drawn from these logits
   */
  void draw(
      float @Nullable [] logits,
      @Nullable BitSet allowed,
      ServingModel serving,
      RequestOutput output,
      long now) {
    int vocabulary = serving.model().spec().vocabularySize();
    if (logits == null || logits.length != vocabulary) {
      throw new RequestException(
          RequestException.Kind.FAILED,
          "The model gave %s logits for a vocabulary of %d"
              .formatted(logits == null ? "no" : logits.length, vocabulary));
    }
    Set<Integer> ends = serving.text().endTokens();
    if (generated.size() < asked.minTokens() && mayGoOn(allowed, ends)) {
      ends.stream()
          .filter(end -> end < vocabulary)
          .forEach(end -> logits[end] = Float.NEGATIVE_INFINITY);
    }
    int token = sampler.next(logits, tokens, promptLength, length, allowed);
    accept(token, Sampler.logProbs(logits, token, asked.logProbs()), serving, output, now);
  }

  private static boolean mayGoOn(@Nullable BitSet allowed, Set<Integer> ends) {
    return allowed == null || allowed.stream().anyMatch(token -> !ends.contains(token));
  }

  /** Goes on with tokens that must come, as if they had been drawn, up to the answer's end. */
  void force(int[] those, ServingModel serving, RequestOutput output, long now) {
    for (int i = 0; i < those.length && reason == null; i++) {
      accept(those[i], Sampler.sure(those[i], asked.logProbs()), serving, output, now);
    }
  }

  private void accept(
      int token,
      Optional<LogProbs> logProbs,
      ServingModel serving,
      RequestOutput output,
      long now) {
    lastToken = now;
    if (generated.isEmpty()) {
      firstToken = now;
    }
    generated.add(token);
    if (length == tokens.length) {
      tokens = Arrays.copyOf(tokens, length * 2);
    }
    tokens[length++] = token;
    boolean ends = !asked.ignoreEos() && serving.text().endTokens().contains(token);
    String piece = ends ? "" : stream.next(token);
    String marker = reader == null || !piece.isEmpty() ? "" : reader.marker(token);
    String shown = marker.isEmpty() ? stops.accept(piece) : stops.rest(); // none spans a marker
    if (ends) {
      reason = FinishReason.END_TOKEN;
    } else if (stops.found()) {
      reason = FinishReason.STOP_STRING;
    } else if (generated.size() >= asked.maxTokens()) {
      reason = FinishReason.MAX_TOKENS;
    } else if (length >= serving.model().spec().contextLength()) {
      reason = FinishReason.CONTEXT_FULL;
    }
    if (reason != null) {
      shown += heldBack();
    }
    text.append(shown);
    output.token(token, shown, logProbs);
    read(shown, marker, output);
  }

  private void read(String shown, String marker, RequestOutput output) {
    if (reader == null) {
      return;
    }
    reader.accept(shown, output::part);
    reader.accept(marker, output::part);
    if (reason != null) {
      reader.end(output::part);
    }
  }

  private String heldBack() {
    return stops.found() ? "" : stops.accept(stream.rest()) + stops.rest();
  }

  /**
   * As it stands; what a cancelled one held back is not in its events.
   *
   * @param cached how many tokens of the prompt were not computed for it
   * @param submitted when it was asked, by the clock that {@code now} is of
   */
  GenerationResult result(int cached, long submitted, long now) {
    if (reason == FinishReason.CANCELLED
        || reason == FinishReason.PREEMPTED
        || reason == FinishReason.TIME_LIMIT) {
      String rest = heldBack();
      text.append(rest);
      if (reader != null) {
        reader.accept(rest, event -> {});
        reader.end(event -> {});
      }
    }
    long first = generated.isEmpty() ? now : firstToken;
    return new GenerationResult(
        tag,
        promptLength,
        cached,
        generated,
        text.toString(),
        reader == null ? ChatMessage.assistant(text.toString()) : reader.message(),
        reason == null ? FinishReason.CANCELLED : reason,
        Duration.ofNanos(first - submitted),
        Duration.ofNanos(first - begun),
        Duration.ofNanos(generated.isEmpty() ? 0 : lastToken - firstToken));
  }
}
