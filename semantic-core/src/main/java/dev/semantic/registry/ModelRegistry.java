package dev.semantic.registry;

import dev.semantic.cache.BlockPool;
import dev.semantic.cache.CacheStore;
import dev.semantic.cache.MemoryCacheStore;
import dev.semantic.engine.BatchEngine;
import dev.semantic.engine.EngineMode;
import dev.semantic.engine.EngineOptions;
import dev.semantic.engine.Generation;
import dev.semantic.engine.GenerationRequest;
import dev.semantic.engine.RequestException;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.RegistryStatus.Activity;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapListener;
import dev.semantic.swap.SwapOutcome;
import dev.semantic.swap.SwapReport;
import dev.semantic.swap.SwapState;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One model at a time, answering requests, and exchanged while the host runs. Any thread may call;
 * one may change the model at a time. The runtime stays the host's to close, after this.
 */
public final class ModelRegistry implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ModelRegistry.class);

  private final ModelRuntime runtime;
  private final MemoryBudget budget;
  private final BlockPool pool;
  private final BatchEngine engine;
  private final List<SwapListener> listeners;
  private final ReentrantLock changing = new ReentrantLock();

  private SwapState state = new SwapState.Empty(); // under changing
  private @Nullable Resident resident; // under changing
  private volatile @Nullable ModelSpec serving;
  private volatile @Nullable SwapJournal underWay;
  private volatile @Nullable SwapReport last;
  private volatile Activity activity = Activity.IDLE;
  private volatile Instant since = Instant.now();
  private volatile boolean closed;

  private ModelRegistry(Builder from) {
    runtime = from.runtime;
    budget = from.budget;
    pool = new BlockPool(from.cacheBytes);
    engine = new BatchEngine(from.engineOptions, pool, from.caches);
    listeners = List.copyOf(from.listeners);
  }

  /** A registry over a runtime, with everything else as usual. */
  public static Builder builder(ModelRuntime runtime) {
    return new Builder(runtime);
  }

  /**
   * Loads the first model.
   *
   * @return what it took
   * @throws ModelException if it cannot be found, read or loaded; nothing serves then
   * @throws IllegalStateException if a model serves already, or a swap is under way
   */
  public SwapReport load(ModelId model) {
    begin("load " + model);
    try {
      if (resident != null) {
        throw new IllegalStateException(
            resident.spec().id() + " serves already; exchange it with swapWithRollback");
      }
      return change(model, SwapOptions.USUAL);
    } catch (ModelSwapException e) {
      if (e.getCause() instanceof ModelException cause) {
        throw cause;
      }
      throw new ModelException(Verdict.message(e), e);
    } finally {
      changing.unlock();
    }
  }

  /**
   * Parks every agent and unloads the model; requests wait until another is loaded.
   *
   * @throws ModelSwapException if it still serves
   */
  public SwapReport unload() throws ModelSwapException {
    begin("unload");
    try {
      if (resident == null) {
        throw new IllegalStateException("There is no model to unload");
      }
      return change(null, SwapOptions.USUAL);
    } finally {
      changing.unlock();
    }
  }

  /**
   * Replaces the serving model; puts the old one back if anything fails. Blocks; others may go on
   * submitting.
   *
   * @param target validated before anything is drained
   * @return times per phase, bytes reclaimed, agents parked and restored, blackout
   * @throws ModelSwapException if the target can't serve; {@link ModelSwapException#serving()}
   *     tells which model does
   * @throws IllegalStateException if a swap is under way already
   */
  public SwapReport swapWithRollback(ModelId target) throws ModelSwapException {
    return swapWithRollback(target, SwapOptions.USUAL);
  }

  /** The same, done as {@code options} say. */
  public SwapReport swapWithRollback(ModelId target, SwapOptions options)
      throws ModelSwapException {
    begin("swap to " + target);
    try {
      return change(target, options);
    } finally {
      changing.unlock();
    }
  }

  /** The model that serves; during a blackout the one that served last. */
  public Optional<ModelSpec> current() {
    return Optional.ofNullable(serving);
  }

  /**
   * Asks the model. While a swap is under way the request waits for the model that comes out of it.
   *
   * @throws RequestException if it is refused: no model, too many waiting, closed
   */
  public Generation generate(GenerationRequest request) {
    if (serving == null && underWay == null) {
      throw new RequestException(
          closed ? "The registry is closed" : "No model serves; load one first");
    }
    return engine.submit(request);
  }

  /** How it stands. Never waits. */
  public RegistryStatus status() {
    SwapJournal journal = underWay;
    return new RegistryStatus(
        activity,
        Optional.ofNullable(journal).map(SwapJournal::current),
        journal == null ? ByteSize.ZERO : journal.loaded(),
        journal == null ? ByteSize.ZERO : journal.toLoad(),
        since,
        current(),
        Optional.ofNullable(last));
  }

  /** The account of the caches' memory. */
  public BlockPool pool() {
    return pool;
  }

  private void begin(String what) {
    if (!changing.tryLock()) {
      throw new IllegalStateException("Cannot %s: a swap is under way".formatted(what));
    }
    if (closed) {
      changing.unlock();
      throw new IllegalStateException("Cannot %s: the registry is closed".formatted(what));
    }
    if (changing.getHoldCount() > 1) {
      changing.unlock();
      throw new IllegalStateException("Cannot %s from within a swap".formatted(what));
    }
  }

  private SwapReport change(@Nullable ModelId target, SwapOptions options)
      throws ModelSwapException {
    SwapJournal journal = new SwapJournal(listeners);
    Optional<ModelId> from = current().map(ModelSpec::id);
    ByteSize before = activeBytes();
    activity = Activity.IN_PROGRESS;
    since = Instant.now();
    underWay = journal;
    SwapExecution swap =
        new SwapExecution(
            new SwapExecution.Tools(runtime, engine, budget, pool.capacity()),
            options,
            journal,
            target,
            resident);
    try {
      state = swap.run(state);
    } finally {
      settle(swap, target);
      underWay = null;
    }
    Verdict verdict = new Verdict(swap, journal);
    SwapReport report = verdict.report(from, target, current(), before, activeBytes());
    last = report;
    activity = report.outcome() == SwapOutcome.SWAPPED ? Activity.SUCCESS : Activity.FAILED;
    since = Instant.now();
    journal.finished(report);
    if (journal.wasInterrupted()) {
      Thread.currentThread().interrupt();
    }
    return verdict.judged(report, serving);
  }

  /** Takes over the model that came out, and lets go of the other's files. */
  private void settle(SwapExecution swap, @Nullable ModelId target) {
    Resident candidate = swap.candidate();
    boolean swapped = swap.failure() == null;
    Resident leaving = swapped ? resident : candidate;
    if (swapped) {
      resident = target == null ? null : candidate;
    } else if (resident != null && swap.rollbackFailure() != null) {
      letGo(resident); // it could not be brought back
      resident = null;
    }
    if (leaving != null) {
      letGo(leaving);
    }
    serving = resident == null ? null : resident.spec();
  }

  /** Closes a model's files, and what may still be loaded of it. */
  private static void letGo(Resident leaving) {
    attempt("unload " + leaving.spec().id(), leaving::unload);
    attempt("close the files of " + leaving.spec().id(), () -> leaving.prepared().close());
  }

  /** For what must not keep the rest from being done. */
  private static void attempt(String what, Runnable action) {
    try {
      action.run();
    } catch (Throwable t) {
      LOG.warn("Could not {}", what, t);
    }
  }

  /** Zero if the runtime cannot tell: a figure in a report is not worth a swap. */
  private ByteSize activeBytes() {
    try {
      return new ByteSize(runtime.memory().activeBytes());
    } catch (Throwable t) {
      LOG.warn("The runtime cannot tell how much memory is active", t);
      return ByteSize.ZERO;
    }
  }

  /** Lets requests under way end, parks every agent, frees the model. Waits for a swap to end. */
  @Override
  public void close() {
    if (changing.isHeldByCurrentThread()) {
      throw new IllegalStateException("Cannot close the registry from within a swap");
    }
    changing.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      if (engine.mode() == EngineMode.SERVING) {
        parkForGood();
      }
      attempt("close the engine", engine::close);
      serving = null;
      if (resident != null) {
        letGo(resident);
        resident = null;
      }
      attempt("give cached memory back", () -> runtime.memory().releaseCached());
    } finally {
      changing.unlock();
    }
  }

  private void parkForGood() {
    try {
      if (engine.drain(SwapOptions.USUAL.drainTimeout()) > 0) {
        engine.cancelRunning();
        engine.drain(SwapOptions.USUAL.drainTimeout());
      }
      if (engine.mode() == EngineMode.DRAINED) {
        engine.parkAgents();
      }
    } catch (InterruptedException e) {
      LOG.warn("Interrupted while closing: agents who are not parked yet are not parked");
      Thread.currentThread().interrupt();
    } catch (Throwable t) {
      LOG.error("Agents could not be parked before closing", t);
    }
  }

  /** Puts a registry together. */
  public static final class Builder {
    private final ModelRuntime runtime;
    private CacheStore caches = new MemoryCacheStore();
    private MemoryBudget budget = MemoryBudget.ofSystem();
    private ByteSize cacheBytes = ByteSize.ofGiB(1);
    private EngineOptions engineOptions = EngineOptions.USUAL;
    private final List<SwapListener> listeners = new ArrayList<>();

    private Builder(ModelRuntime runtime) {
      this.runtime = runtime;
    }

    /** Where agents' caches outlive their model; without, in memory. */
    public Builder caches(CacheStore value) {
      caches = value;
      return this;
    }

    /** What models and caches may take together; without, three quarters of the machine. */
    public Builder budget(MemoryBudget value) {
      budget = value;
      return this;
    }

    /** What the caches of all agents in memory may take, out of the budget; without, 1 GiB. */
    public Builder cacheBytes(ByteSize value) {
      cacheBytes = value;
      return this;
    }

    public Builder engine(EngineOptions value) {
      engineOptions = value;
      return this;
    }

    /** Hears of every swap. */
    public Builder listener(SwapListener value) {
      listeners.add(value);
      return this;
    }

    public ModelRegistry build() {
      return new ModelRegistry(this);
    }
  }
}
