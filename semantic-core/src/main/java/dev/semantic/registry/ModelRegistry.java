package dev.semantic.registry;

import dev.semantic.engine.BatchEngine;
import dev.semantic.engine.LastKnown;
import dev.semantic.generate.EngineMode;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.RequestException;
import dev.semantic.journal.InterruptedSwap;
import dev.semantic.kv.AgentId;
import dev.semantic.kv.BlockPool;
import dev.semantic.kv.KvPoolView;
import dev.semantic.log.Log;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.LoadPriority;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.PreparedModel;
import dev.semantic.store.CacheException;
import dev.semantic.store.CacheStore;
import dev.semantic.store.CacheUsage;
import dev.semantic.store.PinnedAgents;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.PhaseTimeoutException;
import dev.semantic.swap.SwapCancelledException;
import dev.semantic.swap.SwapConflict;
import dev.semantic.swap.SwapOutcome;
import dev.semantic.swap.SwapPlan;
import dev.semantic.swap.SwapReport;
import dev.semantic.swap.SwapStrategy;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One model at a time, answering requests, and exchanged while the host runs. Any thread may call;
 * one may change the model at a time. The runtime stays the host's to close, after this.
 */
public final class ModelRegistry implements AutoCloseable {
  private static final Log LOG = Log.of(ModelRegistry.class);

  /** Of forgetting an agent who goes on asking meanwhile. */
  private static final int MOST_ROUNDS = 10;

  /** How long weights that are looked at may take to be let go of once nobody wants them. */
  private static final Duration CALLED_OFF_GRACE = Duration.ofSeconds(5);

  /** How long the store or the journal may take for what is asked of it outside a swap. */
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Timeline timeline;
  private final ModelRuntime runtime;
  private final BlockPool pool;
  private final BatchEngine engine;
  private final CacheStore caches;
  private final PinnedAgents pinned;
  private final Planner planner;
  private final SwapExecutor.Tools tools;
  private final LastKnown<Optional<CacheUsage>> usage;
  private final SwapLock swapLock;
  private final Closing closing; // made betimes: later there may be no memory for it
  private final IdleUnloader idleUnloader;
  private final Optional<InterruptedSwap> interrupted;

  ModelRegistry(RegistryBuilder from) {
    timeline = from.timeline;
    runtime = from.runtime;
    interrupted = // what may fail comes before any thread that stays
        StepRunner.within(timeline, PATIENCE, "reading the journal", from.journal::interrupted);
    interrupted.ifPresent(swap -> LOG.warn("The last process ended in the middle of a {}", swap));
    pool = new BlockPool(from.cacheBytes);
    engine = new BatchEngine(from.engineOptions, pool, from.caches, timeline);
    caches = from.caches;
    pinned = engine::agents;
    ServingState.Current serving = new ServingState.Current(timeline.now());
    planner =
        new Planner(from.budget, from.cacheBytes, () -> serving.get().history(), engine::isBusy);
    tools =
        new SwapExecutor.Tools(
            runtime,
            engine,
            caches,
            planner,
            timeline,
            from.journal,
            new Listeners(timeline, from.listeners),
            serving,
            from.historyLength);
    usage = new LastKnown<>(timeline, "semantic-store-usage", caches::usage, Optional.empty());
    swapLock = new SwapLock(timeline, this::settleWaiting);
    closing = new Closing(tools, pinned);
    idleUnloader = orClosed(() -> new IdleUnloader(tools, from.keepAlive, swapLock));
    orClosed(
        () -> {
          StepRunner.within(
              timeline,
              PATIENCE,
              "telling the store",
              () -> {
                caches.addUser(pinned);
                return true;
              });
          settleWaiting();
          preload(from.keepAlive.preload());
          return this;
        });
  }

  /** The last steps of a beginning; if one fails, nothing is left of what has begun. */
  private <T> T orClosed(Supplier<T> step) {
    try {
      return step.get();
    } catch (Throwable t) {
      closing.await();
      throw t;
    }
  }

  /** A registry over a runtime, with everything else as usual. */
  public static RegistryBuilder builder(ModelRuntime runtime) {
    return new RegistryBuilder(runtime);
  }

  private SwapReport change(@Nullable ModelId target, SwapOptions options, Permit permit)
      throws ModelSwapException {
    return changed(new SwapExecutor(tools, options, permit, target));
  }

  private SwapReport changed(SwapExecutor executor) throws ModelSwapException {
    SwapReport report = executor.run();
    idleUnloader.decided();
    return report;
  }

  /**
   * Nobody is about to change what serves. If nothing does, then whoever waits is told at once, and
   * so is whoever comes: nobody waits for a model that nobody brings.
   */
  private void settleWaiting() {
    if (engine.mode() == EngineMode.EMPTY && !idleUnloader.caresForWaiting()) {
      ModelSwapException failure = tools.serving().get().failure();
      engine.refuse(
          () ->
              failure == null
                  ? new RequestException(
                      RequestException.Kind.NO_MODEL, "No model serves; load one first")
                  : new RequestException(
                      RequestException.Kind.NO_MODEL,
                      "No model serves; load one first. " + failure.getMessage(),
                      failure));
    }
  }

  private static void requireModel(@Nullable ModelId model) {
    Objects.requireNonNull(model, "A model must be named; it is null");
  }

  private static void requireOptions(@Nullable SwapOptions options) {
    Objects.requireNonNull(options, "options must not be null; SwapOptions.DEFAULTS are the usual");
  }

  private void preload(List<ModelId> models) {
    for (ModelId model : models) {
      try {
        load(model);
        return;
      } catch (ModelException e) {
        LOG.warn("Cannot preload {}", model, e);
      }
    }
  }

  /**
   * Loads the first model, or one for an engine that has failed.
   *
   * @return what it took
   * @throws ModelException if it cannot be found, read or loaded; nothing serves then
   * @throws IllegalStateException if a model serves already, or a swap is under way
   */
  public SwapReport load(ModelId model) {
    requireModel(model);
    try (Permit permit = swapLock.enter("load " + model, SwapConflict.REFUSE)) {
      boolean failed = engine.mode() == EngineMode.FAILED; // what served last serves nobody
      current()
          .filter(spec -> !failed)
          .ifPresent(
              spec -> {
                throw new IllegalStateException(
                    spec.id() + " serves already; exchange it with swapWithRollback");
              });
      return change(model, SwapOptions.DEFAULTS, permit);
    } catch (ModelSwapException e) {
      if (e.getCause() instanceof ModelException cause) {
        throw cause;
      }
      throw new ModelException(ModelException.Kind.of(e), Log.reason(e), e);
    }
  }

  /**
   * Parks every agent and unloads the model. Requests that have not been begun are refused then, as
   * are those that come before another model is being loaded: {@link
   * RequestException.Kind#NO_MODEL}. Whoever wants them to wait for the next model swaps to it. A
   * model that has left memory because nobody asked it anything does not come back by itself any
   * more: {@link SwapOutcome#UNCHANGED}.
   *
   * @throws ModelSwapException if it still serves
   * @throws IllegalStateException if there is no model, or a swap is under way
   */
  public SwapReport unload() throws ModelSwapException {
    return unload(SwapOptions.DEFAULTS);
  }

  /** The same, done as {@code options} say. */
  public SwapReport unload(SwapOptions options) throws ModelSwapException {
    requireOptions(options);
    try (Permit permit = swapLock.enter("unload", options.ifBusy())) {
      if (current().isEmpty() && tools.serving().get().asleep() == null) {
        throw new IllegalStateException("There is no model to unload");
      }
      return change(null, options, permit);
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
    return swapWithRollback(target, SwapOptions.DEFAULTS);
  }

  /**
   * The same, done as {@code options} say.
   *
   * @throws dev.semantic.swap.SwapCancelledException if it is interrupted while it waits for
   *     another swap to end
   */
  public SwapReport swapWithRollback(ModelId target, SwapOptions options)
      throws ModelSwapException {
    requireModel(target);
    requireOptions(options);
    try (Permit permit = swapLock.enter("swap to " + target, options.ifBusy())) {
      return change(target, options, permit);
    }
  }

  /**
   * The same as {@link #swapWithRollback(ModelId, SwapOptions)}, on a thread of its own, to be
   * watched and called off by its handle. Does not block.
   *
   * @throws IllegalStateException if another swap is under way and it shall not wait for that, or
   *     the registry is closed. One that begins in the same instant is told of by the handle
   */
  public ModelSwap swapAsync(ModelId target, SwapOptions options) {
    requireModel(target);
    requireOptions(options);
    String what = "swap to " + target;
    swapLock.requireFor(what, options.ifBusy());
    return new ModelSwap(
        timeline,
        target,
        swap -> {
          try (Permit permit = swapLock.enter(what, options.ifBusy())) {
            SwapExecutor executor = new SwapExecutor(tools, options, permit, target);
            swap.begins(permit, executor.recorder());
            return changed(executor);
          }
        });
  }

  /**
   * Calls off the swap that is under way; whoever asked for it gets a {@link ModelSwapException},
   * and the old model serves. Does not wait for that.
   *
   * @return false if none is under way, or the new model serves already and the old one is leaving
   */
  public boolean cancelSwap() {
    return swapLock.cancel("cancelSwap was called");
  }

  /**
   * Checks a model as a swap to it would, before it drains anything: files, headers, every tensor,
   * tokenizer, template, architecture, memory. The serving model is not touched.
   *
   * @throws ModelException if a swap to it would be refused
   * @throws PhaseTimeoutException if the backend has not come back after ten minutes
   */
  public ModelSpec validate(ModelId model) {
    return validate(model, SwapOptions.DEFAULTS);
  }

  /**
   * The same for a swap that is done as {@code options} say: with {@link
   * SwapOptions.Builder#requireChatTemplate}, whether it has a chat template.
   *
   * @throws ModelException if a swap to it would be refused
   * @throws PhaseTimeoutException if the backend has not come back after {@link
   *     SwapOptions#phaseTimeout}
   * @throws SwapCancelledException if the caller is interrupted, and the backend does not come back
   */
  public ModelSpec validate(ModelId model, SwapOptions options) {
    requireOptions(options);
    requireModel(model);
    return looking(
        model,
        options.phaseTimeout(),
        new Permit(),
        () -> {
          try (PreparedModel prepared = runtime.prepare(model)) {
            if (options.requiresChatTemplate()) {
              SwapActions.requireChatTemplate(prepared);
            }
            planned(prepared);
            return prepared.spec();
          }
        });
  }

  private SwapPlan planned(PreparedModel prepared) {
    prepared.text(); // whether it can be made
    return planner.plan(current().orElse(null), prepared.spec());
  }

  /**
   * Looks at a model on a thread of its own, which lets go of it, however late it comes back, and
   * is not waited for for long once that is called off. An interrupt calls it off, and is kept.
   */
  private <T> T looking(ModelId model, Duration patience, Permit permit, Callable<T> look) {
    StepRunner stepRunner = new StepRunner(timeline, patience, permit);
    try {
      return stepRunner.call("validating " + model, CALLED_OFF_GRACE, look, late -> {});
    } catch (RuntimeException | Error t) {
      if (!permit.isRequested()) {
        throw t;
      }
      SwapCancelledException calledOff =
          new SwapCancelledException("Validating %s was called off".formatted(model));
      calledOff.addSuppressed(t);
      throw calledOff;
    } finally {
      if (stepRunner.wasInterrupted()) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * Checks a model as {@link #validate} does, and then as a load does: reads all of its weights and
   * computes with them, beside the model that serves, and lets go of them again. No swap can begin
   * meanwhile; {@link #cancelSwap}, {@link #close} and an interrupt call it off.
   *
   * @throws ModelException if a load would be refused, because its weights compute no numbers for
   *     instance; or if memory does not hold it beside the model that serves
   * @throws IllegalStateException if a swap is under way
   * @throws SwapCancelledException if it is called off
   */
  public ModelSpec validateWeights(ModelId model) {
    requireModel(model);
    try (Permit permit = swapLock.enter("validate the weights of " + model, SwapConflict.REFUSE)) {
      return looking(
          model, ChronoUnit.FOREVER.getDuration(), permit, () -> validated(model, permit));
    }
  }

  private ModelSpec validated(ModelId model, Permit permit) {
    try (PreparedModel prepared = runtime.prepare(model)) {
      Optional<ModelSpec> serving = current();
      SwapPlan plan = planned(prepared);
      if (plan.strategy() == SwapStrategy.BREAK_BEFORE_MAKE) {
        throw new ModelException(
            ModelException.Kind.DOES_NOT_FIT,
            "The weights of %s cannot be looked at while %s serves: %s. Unload that first"
                .formatted(model, serving.orElseThrow().id(), plan.reason()));
      }
      prepared
          .load(
              new Looking(
                  permit, serving.isPresent() ? LoadPriority.BACKGROUND : LoadPriority.AT_ONCE))
          .close();
      return prepared.spec();
    }
  }

  /** A load whose model nobody wants to keep. */
  private record Looking(Permit permit, LoadPriority priority) implements LoadProgress {
    @Override
    public void update(long doneBytes, long totalBytes) {}

    @Override
    public boolean isCancelled() {
      return permit.isRequested();
    }
  }

  /**
   * What a swap to a model would do if it began now: in which order, how many bytes, and how long
   * by those that went before it.
   *
   * @throws ModelException if a swap to it would be refused
   * @throws PhaseTimeoutException if the backend has not come back after ten minutes
   */
  public SwapPlan plan(ModelId model) {
    requireModel(model);
    return looking(
        model,
        SwapOptions.DEFAULTS.phaseTimeout(),
        new Permit(),
        () -> {
          try (PreparedModel prepared = runtime.prepare(model)) {
            return planned(prepared);
          }
        });
  }

  /**
   * Makes a model ready in the background: fetched if it is elsewhere, found, checked, read into
   * the page cache. The serving model is not touched, and nothing is kept but files and what the
   * system keeps.
   */
  public ModelPrefetch prepare(ModelId model) {
    requireModel(model);
    if (swapLock.isClosed()) {
      throw new IllegalStateException("Cannot prepare %s: the registry is closed".formatted(model));
    }
    return new ModelPrefetch(timeline, runtime, model);
  }

  /** The model that serves; during a blackout the one that served last. */
  public Optional<ModelSpec> current() {
    return tools.current();
  }

  /**
   * Asks the model. While a swap is under way the request waits for the model that comes out of it,
   * unless the swap has arrivals refused.
   *
   * @throws RequestException if it is refused: no model, too many waiting, closed
   */
  public Generation generate(GenerationRequest request) {
    if (swapLock.isClosed() && current().isEmpty()) {
      throw new RequestException(RequestException.Kind.CLOSED, "The registry is closed");
    }
    idleUnloader.use();
    Generation generation = engine.submit(request);
    if (!generation.isDone()) {
      idleUnloader.use(); // the model may have left between the two
    }
    return generation;
  }

  /**
   * Keeps an agent's cache in memory while its model serves: nobody's request makes it leave, and
   * after a swap back it is the first to return. What finds no room beside pinned agents is
   * refused, with the reason. Holds for every model, until {@link #unpin}; the agent need not have
   * asked anything yet.
   */
  public void pin(AgentId agent) {
    engine.pin(agent);
  }

  /** Lets an agent's cache leave memory again when others need room; it is parked then. */
  public void unpin(AgentId agent) {
    engine.unpin(agent);
  }

  /**
   * Forgets an agent: what it has in memory and its pin, what is parked of it under any model, in
   * the archive and in quarantine, what is being parked or read at this moment. What others begin
   * with just as it did stays theirs. Requests of the agent that are waiting or being answered go
   * on to their end, and what was computed for them is dropped then; what it asks later begins from
   * nothing. Any thread, at any time, a swap included; waits for the store, but not for ever.
   *
   * @return how many parked caches are gone
   * @throws CacheException if something of it is left on disk that could not be removed, or is
   *     still being written, or the store does not come back; in memory nothing is
   * @throws UnsupportedOperationException if the host's store cannot tell what an agent has parked;
   *     in memory it is forgotten
   */
  public int forget(AgentId agent) {
    try {
      return StepRunner.within(
          timeline, PATIENCE, "forgetting an agent", () -> forgetEverywhere(agent));
    } catch (PhaseTimeoutException e) {
      throw new CacheException(
          "%s may still have caches parked: the store has not come back for %s. Ask again"
              .formatted(agent, PATIENCE),
          e);
    }
  }

  private int forgetEverywhere(AgentId agent) {
    int gone = 0;
    int now = 1;
    for (int round = 0; now > 0 && round < MOST_ROUNDS; round++) {
      engine.forget(agent); // again if anything was parked: somebody may just have read it
      now = caches.forget(agent);
      gone += now;
    }
    return gone;
  }

  /**
   * How it stands. Waits for nobody: of a store that does not come back it tells what was known
   * last.
   */
  @SuppressWarnings("ReferenceEquality") // every change of it is another one
  public RegistryStatus status() {
    Optional<CacheUsage> stored = usage.get();
    while (true) { // what is told was true at one moment
      ServingState now = tools.serving().get();
      RegistryStatus status = now.status(engine, stored);
      if (now == tools.serving().get()) {
        return status;
      }
    }
  }

  /** The last reports, oldest first. */
  public List<SwapReport> history() {
    return tools.serving().get().history();
  }

  /** The swap that was under way when the last process with this journal ended. */
  public Optional<InterruptedSwap> interruptedSwap() {
    return interrupted;
  }

  /** The account of the caches' memory, as it stands whenever it is asked. */
  public KvPoolView pool() {
    return pool.view();
  }

  /**
   * Lets requests under way end, for half a minute at most, parks every agent, frees the model. A
   * swap or load that is under way is called off; if the old model has left memory already it is
   * not brought back. Waits for that, and for another thread that closes it already; never for
   * ever. A store or a model that does not come back for ten seconds is left alone and logged, and
   * what does not need it is done all the same: agents whom the store takes are parked. An
   * interrupt of the calling thread shortens nothing and is kept.
   */
  @Override
  public void close() {
    @Nullable Permit last = swapLock.enterForGood();
    if (last == null) {
      return;
    }
    try (last) {
      idleUnloader.close();
      closing.await();
      swapLock.endForGood();
    }
  }
}
