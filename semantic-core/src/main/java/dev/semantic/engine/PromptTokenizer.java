package dev.semantic.engine;

import dev.semantic.generate.Constraint;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.log.Log;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.TokenMatcher;
import dev.semantic.spi.Tokenizer;
import dev.semantic.timeline.ThreadFrame;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Renders prompts, turns them into tokens and sees whether constraints make sense while they wait
 * in the queue, on a few threads of its own that end when nothing waits: the scheduler never does,
 * however long a prompt is. A request stays in the queue meanwhile, where it is cancelled, runs out
 * of time or outlives its model as any other does; what has been made of it by then is nobody's.
 */
final class PromptTokenizer {
  private static final Log LOG = Log.of(PromptTokenizer.class);

  /** Prompts of one model that are worked on at a time; others wait behind the longest of them. */
  static final int MOST_AT_A_TIME = 2;

  private final EngineState state;
  private final WorkerThreads threads;

  PromptTokenizer(EngineState state, WorkerThreads threads) {
    this.state = state;
    this.threads = threads;
  }

  /** Sees to what waits; returns at once. */
  void startAll() {
    for (PromptTokens next = state.nextPrompt(); next != null; next = state.nextPrompt()) {
      threads.start(new Worker(next));
    }
  }

  /** Goes on until nothing waits. */
  private final class Worker implements ThreadFrame.Work {
    private @Nullable PromptTokens inHand;

    private Worker(PromptTokens first) {
      inHand = first;
    }

    @Override
    public void run() {
      for (PromptTokens prompt = inHand; prompt != null; prompt = inHand) {
        if (state.isWanted(prompt)) {
          make(prompt);
        }
        state.tokenized(prompt);
        Thread.interrupted(); // it was meant for that prompt
        inHand = state.nextPrompt();
      }
    }

    @Override
    public void ended(@Nullable Throwable thrown) {
      if (inHand != null && thrown != null) {
        inHand.refuse(RequestException.of(thrown));
        state.tokenized(inHand);
        inHand = null;
      }
    }
  }

  private static void make(PromptTokens prompt) {
    try {
      GenerationRequest asked = prompt.request().request();
      ServingModel by = prompt.by();
      int[] tokens = tokens(asked.prompt(), by);
      Optional<Constraint> constraint =
          asked.prompt() instanceof Prompt.Chat chat && asked.constraint().isEmpty()
              ? ToolCallConstraint.of(chat, tokens, by)
              : asked.constraint();
      prompt.make(tokens, constraint);
      if (constraint.isPresent()) {
        try (TokenMatcher matcher = by.text().match(constraint.get())) {
          matcher.accept();
        }
      }
    } catch (Throwable t) {
      prompt.refuse(RequestException.of(t));
      LOG.debug("A prompt could not be turned into tokens", t);
    }
    if (prompt.request().generation().isForgotten()) {
      forgetTexts(prompt.by()); // the agent was forgotten meanwhile
    }
  }

  /** Lets a model's tokenizer remember nothing of anybody. */
  static void forgetTexts(ServingModel serving) {
    try {
      serving.text().forgetTexts();
    } catch (RuntimeException e) {
      LOG.warn("The tokenizer of {} may remember texts", serving.model().spec().id(), e);
    }
  }

  private static int[] tokens(Prompt prompt, ServingModel serving) {
    Tokenizer codec = serving.text();
    if (prompt instanceof Prompt.Tokens tokens) {
      return tokens.ids();
    }
    if (prompt instanceof Prompt.Text(String text)) {
      requireFit(text.length(), serving);
      return codec.encode(text, codec.beginsWithBos());
    }
    Prompt.Chat chat = (Prompt.Chat) prompt;
    requireText(chat, serving);
    requireFit(chat, serving);
    return codec.encodeChat(chat);
  }

  /** No model here has eyes or ears. */
  private static void requireText(Prompt.Chat chat, ServingModel serving) {
    chat.firstMedium()
        .ifPresent(
            what -> {
              throw new RequestException(
                  RequestException.Kind.INVALID,
                  "%s; %s reads text only: leave it out, or say what is in it"
                      .formatted(what, serving.model().spec().id()));
            });
  }

  /** A template may leave out or repeat what is said, so what counts is what it makes of it. */
  private static void requireFit(Prompt.Chat chat, ServingModel serving) {
    long said = chat.messages().stream().mapToLong(message -> message.content().length()).sum();
    if (!fits(said, serving)) {
      requireFit(serving.text().renderChat(chat).length(), serving);
    }
  }

  /** What would not fit if every token were the longest there is need not be counted. */
  private static void requireFit(long chars, ServingModel serving) {
    if (!fits(chars, serving)) {
      ModelSpec spec = serving.model().spec();
      throw new RequestException(
          RequestException.Kind.TOO_LONG,
          "The prompt has %d characters, which are at least %d tokens; %s holds %d, and one of them must be left for the answer"
              .formatted(chars, leastTokens(chars, serving), spec.id(), spec.contextLength()));
    }
  }

  private static boolean fits(long chars, ServingModel serving) {
    return leastTokens(chars, serving) < serving.model().spec().contextLength();
  }

  private static long leastTokens(long chars, ServingModel serving) {
    OptionalInt most = serving.text().maxCharsPerToken();
    return most.isPresent() ? Math.ceilDiv(chars, (long) most.getAsInt()) : 0;
  }

  /** Waits for what is being made; not for ever. */
  void close() {
    threads.close();
  }
}
