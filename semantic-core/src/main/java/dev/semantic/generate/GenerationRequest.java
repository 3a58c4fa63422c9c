package dev.semantic.generate;

import dev.semantic.kv.AgentId;
import dev.semantic.model.ModelId;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * What a host asks of a model. Immutable; made with {@link #of(Prompt)}.
 *
 * @see Builder for what each part means
 */
public final class GenerationRequest {
  /**
   * How many stop strings one request may have: they are looked for on the thread that serves
   * everybody.
   */
  public static final int MAX_STOPS = 100;

  /** How many characters all of them may have together. */
  public static final int MAX_STOP_CHARACTERS = 10_000;

  private final Prompt prompt;
  private final @Nullable AgentId agent;
  private final @Nullable ModelId model;
  private final Sampling sampling;
  private final int maxTokens;
  private final List<String> stop;
  private final boolean ignoreEos;
  private final int prefillChunk;
  private final @Nullable Duration deadline;
  private final @Nullable Duration timeLimit;
  private final int priority;
  private final @Nullable Constraint constraint;
  private final int minTokens;
  private final OptionalInt logProbs;

  private GenerationRequest(Builder from) {
    prompt = from.prompt;
    agent = from.agent;
    model = from.model;
    sampling = from.sampling;
    maxTokens = from.maxTokens;
    stop = from.stop;
    ignoreEos = from.ignoreEos;
    prefillChunk = from.prefillChunk;
    deadline = from.deadline;
    timeLimit = from.timeLimit;
    priority = from.priority;
    constraint = from.constraint;
    minTokens = from.minTokens;
    logProbs = from.logProbs;
  }

  /** A request with everything else as usual: greedy, at most 256 tokens, nobody's. */
  public static Builder of(Prompt prompt) {
    return new Builder(prompt);
  }

  public Prompt prompt() {
    return prompt;
  }

  public Optional<AgentId> agent() {
    return Optional.ofNullable(agent);
  }

  public Optional<ModelId> model() {
    return Optional.ofNullable(model);
  }

  public Sampling sampling() {
    return sampling;
  }

  public int maxTokens() {
    return maxTokens;
  }

  public List<String> stop() {
    return stop;
  }

  public boolean ignoreEos() {
    return ignoreEos;
  }

  public int prefillChunk() {
    return prefillChunk;
  }

  public Optional<Duration> deadline() {
    return Optional.ofNullable(deadline);
  }

  public Optional<Duration> timeLimit() {
    return Optional.ofNullable(timeLimit);
  }

  public int priority() {
    return priority;
  }

  public Optional<Constraint> constraint() {
    return Optional.ofNullable(constraint);
  }

  public int minTokens() {
    return minTokens;
  }

  /** How many of the likeliest tokens are told with each; empty where none is told. */
  public OptionalInt logProbs() {
    return logProbs;
  }

  /** Puts a request together. */
  public static final class Builder {
    private final Prompt prompt;
    private @Nullable AgentId agent;
    private @Nullable ModelId model;
    private Sampling sampling = Sampling.GREEDY;
    private int maxTokens = 256;
    private List<String> stop = List.of();
    private boolean ignoreEos;
    private int prefillChunk = 512;
    private @Nullable Duration deadline;
    private @Nullable Duration timeLimit;
    private int priority;
    private @Nullable Constraint constraint;
    private int minTokens;
    private OptionalInt logProbs = OptionalInt.empty();

    private Builder(Prompt prompt) {
      this.prompt = Objects.requireNonNull(prompt, "prompt must not be null");
    }

    /** Whose memory it belongs to; without, nothing is remembered. */
    public Builder agent(AgentId value) {
      agent = Objects.requireNonNull(value, "agent must not be null");
      return this;
    }

    /** The only model that may answer; without, whichever serves. */
    public Builder model(ModelId value) {
      model = Objects.requireNonNull(value, "model must not be null");
      return this;
    }

    public Builder sampling(Sampling value) {
      sampling = Objects.requireNonNull(value, "sampling must not be null");
      return this;
    }

    /** The most tokens to generate, 1 or more. */
    public Builder maxTokens(int value) {
      maxTokens = positive(value, "max tokens");
      return this;
    }

    /** Texts that end the answer and are not part of it: 100 at most, of 10,000 characters. */
    public Builder stop(String... values) {
      long characters = 0;
      Objects.requireNonNull(values, "stop must not be null");
      for (String value : values) {
        Objects.requireNonNull(value, "a stop string must not be null");
        if (value.isEmpty()) {
          throw new IllegalArgumentException("A stop string must not be empty");
        }
        characters += value.length();
      }
      if (values.length > MAX_STOPS || characters > MAX_STOP_CHARACTERS) {
        throw new IllegalArgumentException(
            "%d stop strings of %d characters together; there may be %d of %d"
                .formatted(values.length, characters, MAX_STOPS, MAX_STOP_CHARACTERS));
      }
      stop = List.of(values);
      return this;
    }

    /** Goes on past the tokens that end an answer, and shows special tokens as text. */
    public Builder ignoreEos(boolean value) {
      ignoreEos = value;
      return this;
    }

    /**
     * Tokens of the prompt that are computed at a time, 1 or more. While others are being answered
     * no more than 128 are, lest their next tokens wait for it.
     */
    public Builder prefillChunk(int value) {
      prefillChunk = positive(value, "prefill chunk");
      return this;
    }

    /**
     * How long it may wait before it is begun: for its turn, for what is parked of it, for room.
     * Without, as long as the engine lets it.
     */
    public Builder deadline(Duration value) {
      deadline = notNegative("deadline", value);
      return this;
    }

    /**
     * How long it may take in all, from when it is submitted. What it has by then is its answer,
     * and {@link FinishReason#TIME_LIMIT} its end; one that has not been begun by then has none,
     * and fails. Without, as long as it takes.
     */
    public Builder timeLimit(Duration value) {
      timeLimit = notNegative("time limit", value);
      return this;
    }

    /**
     * Higher is more urgent; without, 0. Of those that wait the most urgent is begun first and has
     * its prompt computed first, and whoever is less urgent starts over when the KV pool is full.
     * Among equals agents take turns: whoever was begun longest ago is next, and what belongs to no
     * agent takes turns as if one had asked it all. Those of one agent keep their order. Nobody is
     * urgent for having waited long.
     */
    public Builder priority(int value) {
      priority = value;
      return this;
    }

    /** What the answer must look like; without, anything. */
    public Builder constraint(Constraint value) {
      constraint = Objects.requireNonNull(value, "constraint must not be null");
      return this;
    }

    /**
     * The fewest tokens to generate, 0 or more: no end token is drawn before, unless a constraint
     * allows no other. Stop strings end an answer all the same.
     */
    public Builder minTokens(int value) {
      if (value < 0) {
        throw new IllegalArgumentException("min tokens must be 0 or more; it is " + value);
      }
      minTokens = value;
      return this;
    }

    /**
     * Tells with each {@linkplain GenerationEvent.Token token} how likely it was, and the
     * likeliest.
     *
     * @param top how many of those, 0 to 20
     */
    public Builder logProbs(int top) {
      if (top < 0 || top > LogProbs.MAX_TOP) {
        throw new IllegalArgumentException(
            "log probs must be 0 to %d; they are %d".formatted(LogProbs.MAX_TOP, top));
      }
      logProbs = OptionalInt.of(top);
      return this;
    }

    private static Duration notNegative(String name, Duration value) {
      if (Objects.requireNonNull(value, () -> name + " must not be null").isNegative()) {
        throw new IllegalArgumentException(
            "A %s must not be negative; it is %s".formatted(name, value));
      }
      return value;
    }

    private static int positive(int value, String name) {
      if (value < 1) {
        throw new IllegalArgumentException(name + " must be 1 or more; it is " + value);
      }
      return value;
    }

    private boolean requiresTool() {
      return prompt instanceof Prompt.Chat chat && chat.choice().isRequired();
    }

    /**
     * The request.
     *
     * @throws IllegalArgumentException if it is constrained and goes on past its end, or must call
     *     a tool as well, or is to have more tokens than it may
     */
    public GenerationRequest build() {
      if (minTokens > maxTokens) {
        throw new IllegalArgumentException(
            "min tokens are %d, and max tokens %d".formatted(minTokens, maxTokens));
      }
      if ((constraint != null || requiresTool()) && ignoreEos) {
        throw new IllegalArgumentException(
            "A constrained answer ends where its constraint does: leave ignoreEos away");
      }
      if (constraint != null && requiresTool()) {
        throw new IllegalArgumentException(
            "An answer that must call a tool is constrained already: leave one of the two away");
      }
      return new GenerationRequest(this);
    }
  }
}
