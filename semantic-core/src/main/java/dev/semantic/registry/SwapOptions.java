package dev.semantic.registry;

import dev.semantic.generate.ArrivalPolicy;
import dev.semantic.generate.DrainPolicy;
import dev.semantic.spi.LoadPriority;
import dev.semantic.swap.ReclaimPolicy;
import dev.semantic.swap.SwapConflict;
import dev.semantic.swap.SwapPhase;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * How a swap is to be done. Immutable; made with {@link #builder()}.
 *
 * @see Builder for what each part means
 */
public final class SwapOptions {
  static final Consumer<SwapPhase> NO_GUARD = phase -> {}; // before what uses it

  /** Half a minute for the requests under way, and everything else as the builder has it. */
  public static final SwapOptions DEFAULTS = builder().build();

  private final DrainPolicy drainPolicy;
  private final Duration drainTimeout;
  private final Duration returnWithin;
  private final ArrivalPolicy arrivals;
  private final SwapConflict ifBusy;
  private final Duration phaseTimeout;
  private final int rollbackAttempts;
  private final Duration rollbackPause;
  private final ReclaimPolicy reclaim;
  private final LoadPriority loadPriority;
  private final boolean requiresChatTemplate;
  private final boolean reloads;
  private final Consumer<SwapPhase> guard;

  private SwapOptions(Builder from) {
    drainPolicy = from.drainPolicy;
    drainTimeout = from.drainTimeout;
    returnWithin = from.returnWithin;
    arrivals = from.arrivals;
    ifBusy = from.ifBusy;
    phaseTimeout = from.phaseTimeout;
    rollbackAttempts = from.rollbackAttempts;
    rollbackPause = from.rollbackPause;
    reclaim = from.reclaim;
    loadPriority = from.loadPriority;
    requiresChatTemplate = from.requiresChatTemplate;
    reloads = from.reloads;
    guard = from.guard;
  }

  public static Builder builder() {
    return new Builder();
  }

  public DrainPolicy drainPolicy() {
    return drainPolicy;
  }

  public Duration drainTimeout() {
    return drainTimeout;
  }

  public Duration returnWithin() {
    return returnWithin;
  }

  public ArrivalPolicy arrivals() {
    return arrivals;
  }

  public SwapConflict ifBusy() {
    return ifBusy;
  }

  public Duration phaseTimeout() {
    return phaseTimeout;
  }

  public int rollbackAttempts() {
    return rollbackAttempts;
  }

  public Duration rollbackPause() {
    return rollbackPause;
  }

  public ReclaimPolicy reclaim() {
    return reclaim;
  }

  public LoadPriority loadPriority() {
    return loadPriority;
  }

  public boolean requiresChatTemplate() {
    return requiresChatTemplate;
  }

  public boolean reloads() {
    return reloads;
  }

  public Consumer<SwapPhase> guard() {
    return guard;
  }

  /** Puts options together. */
  public static final class Builder {
    private DrainPolicy drainPolicy = DrainPolicy.FINISH;
    private Duration drainTimeout = Duration.ofSeconds(30);
    private Duration returnWithin = Duration.ZERO;
    private ArrivalPolicy arrivals = ArrivalPolicy.QUEUE;
    private SwapConflict ifBusy = SwapConflict.REFUSE;
    private Duration phaseTimeout = Duration.ofMinutes(10);
    private int rollbackAttempts = 1;
    private Duration rollbackPause = Duration.ofMillis(500);
    private ReclaimPolicy reclaim = ReclaimPolicy.DEFAULTS;
    private LoadPriority loadPriority = LoadPriority.BALANCED;
    private boolean requiresChatTemplate;
    private boolean reloads;
    private Consumer<SwapPhase> guard = NO_GUARD;

    private Builder() {}

    /** What becomes of the requests under way; without, they run to their end. */
    public Builder drainPolicy(DrainPolicy value) {
      drainPolicy = Objects.requireNonNull(value, "drainPolicy must not be null");
      return this;
    }

    /** How long a drain may take; after that the old model goes on serving. */
    public Builder drainTimeout(Duration value) {
      drainTimeout = notNegative("drainTimeout", value, "A drain cannot time out after ");
      return this;
    }

    /**
     * How long a preempted request waits for its model to return once another one serves; without,
     * it ends at once.
     */
    public Builder returnWithin(Duration value) {
      returnWithin = notNegative("returnWithin", value, "A model cannot return within ");
      return this;
    }

    /** What becomes of requests that come while no model serves; without, they wait. */
    public Builder arrivals(ArrivalPolicy value) {
      arrivals = Objects.requireNonNull(value, "arrivals must not be null");
      return this;
    }

    /** What if another swap is under way; without, this one is refused. */
    public Builder ifBusy(SwapConflict value) {
      ifBusy = Objects.requireNonNull(value, "ifBusy must not be null");
      return this;
    }

    /** How long a phase may take until it counts as failed; without, ten minutes. */
    public Builder phaseTimeout(Duration value) {
      phaseTimeout = notNegative("phaseTimeout", value, "A phase cannot time out after ");
      return this;
    }

    /**
     * How often bringing the old model back is tried, 1 or more.
     *
     * @param pause before the second attempt; twice that before the third, and so on
     */
    public Builder rollbackAttempts(int value, Duration pause) {
      if (value < 1) {
        throw new IllegalArgumentException("A rollback needs at least one attempt; not " + value);
      }
      rollbackAttempts = value;
      rollbackPause = notNegative("rollbackAttempts' pause", pause, "Attempts cannot be apart by ");
      return this;
    }

    /** How much memory an unload may leave behind, and what if it leaves more. */
    public Builder reclaim(ReclaimPolicy value) {
      reclaim = Objects.requireNonNull(value, "reclaim must not be null");
      return this;
    }

    /**
     * How much of the machine a load takes while the old model serves; without, {@link
     * LoadPriority#BALANCED}. One that nobody is served beside takes all of it.
     */
    public Builder loadPriority(LoadPriority value) {
      loadPriority = Objects.requireNonNull(value, "loadPriority must not be null");
      return this;
    }

    /**
     * Whether a model without a chat template is refused before anything is drained, with {@link
     * dev.semantic.model.ModelException.Kind#NO_CHAT_TEMPLATE}; without, it is not.
     */
    public Builder requireChatTemplate(boolean value) {
      requiresChatTemplate = value;
      return this;
    }

    /**
     * Whether the model that serves is loaded anew if it is the target, and its files are the same;
     * without, there is nothing to do, and the report says {@link
     * dev.semantic.swap.SwapOutcome#UNCHANGED}.
     */
    public Builder reload(boolean value) {
      reloads = value;
      return this;
    }

    /**
     * Asked before every phase but the way back, on a thread of its own; what it throws fails the
     * phase. It may take as long as a phase may, and is interrupted when the swap is called off.
     * For a host's own conditions, and for trying out what a failure does.
     */
    public Builder guard(Consumer<SwapPhase> value) {
      guard = Objects.requireNonNull(value, "guard must not be null");
      return this;
    }

    private static Duration notNegative(String name, Duration value, String complaint) {
      Objects.requireNonNull(value, () -> name + " must not be null");
      if (value.isNegative()) {
        throw new IllegalArgumentException(complaint + value);
      }
      return value;
    }

    public SwapOptions build() {
      return new SwapOptions(this);
    }
  }
}
