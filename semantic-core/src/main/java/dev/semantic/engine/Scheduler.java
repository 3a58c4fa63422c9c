package dev.semantic.engine;

import dev.semantic.engine.CacheReusePolicy.Lookup;
import dev.semantic.generate.EngineMode;
import dev.semantic.generate.RequestException;
import dev.semantic.kv.AgentId;
import dev.semantic.log.Log;
import dev.semantic.timeline.Latch;
import dev.semantic.timeline.ThreadFrame;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The thread that steps the model. Nothing that a request does may end it. */
final class Scheduler implements ThreadFrame.Rounds {
  private static final Log LOG = Log.of(Scheduler.class);

  private final EngineState state;
  private final KvCacheManager kvCache;
  private final ModelRunner runner;
  private final Optional<BackgroundParking> behind;
  private final KvLoader kvLoader;
  private final PromptTokenizer tokenizer;
  private final IdleSequences idleSequences;
  private final WorkerThreads constraintThreads;
  private final Latch over;

  /** Begins at once. */
  Scheduler(
      Timeline timeline,
      EngineState state,
      KvCacheManager kvCache,
      ModelRunner runner,
      Optional<BackgroundParking> behind,
      KvLoader kvLoader,
      PromptTokenizer tokenizer,
      IdleSequences idleSequences,
      WorkerThreads constraintThreads) {
    this.state = state;
    this.kvCache = kvCache;
    this.runner = runner;
    this.behind = behind;
    this.kvLoader = kvLoader;
    this.tokenizer = tokenizer;
    this.idleSequences = idleSequences;
    this.constraintThreads = constraintThreads;
    this.over = new Latch(timeline);
    ThreadFrame.rounds(timeline, "semantic-engine", this);
  }

  @Override
  public boolean round() {
    // An interrupt is nobody's way to end it, and would close the files it reads.
    if (Thread.interrupted()) {
      LOG.debug("Somebody interrupted the scheduler, which ends by close() only");
    }
    try {
      if (!state.awaitWork(this::isBusy, this::hasNothingToStep, this::hasSpareWork)) {
        return false;
      }
    } catch (InterruptedException e) {
      LOG.debug("Somebody interrupted the scheduler, which ends by close() only", e);
      return true;
    }
    work();
    return true;
  }

  @Override
  public void failed(Throwable cause) {
    endAll(
        new RequestException(
            RequestException.Kind.FAILED, "The engine failed: " + Log.reason(cause), cause));
    LOG.error("A scheduling step failed; its requests are told, the engine goes on", cause);
  }

  @Override
  public void ended() {
    state.failUnlessClosed();
    endWhatIsLeft();
    kvLoader.stopPrefetch();
    over.open();
  }

  /** Once more by another thread, once this one is over: it may have had no memory for it. */
  void endWhatIsLeft() {
    boolean closed = state.mode() == EngineMode.CLOSED;
    endAll(
        closed
            ? new RequestException(RequestException.Kind.CLOSED, "The engine was closed")
            : new RequestException(
                RequestException.Kind.FAILED, "The engine failed for good, as the log says"));
  }

  private void work() {
    switch (state.interruption()) {
      case FINISH -> {
        tokenizer.startAll();
        admit();
        step();
      }
      case PREEMPT -> {
        kvLoader.takeAll().reversed().forEach(state::takeBack); // each to the front
        state.suspend(runner.suspendAll());
      }
      case REJECT -> {
        RequestException cause =
            new RequestException(
                RequestException.Kind.CANCELLED,
                "Ended before it was done, because the model is being changed; ask again",
                state.retryAfter());
        kvLoader.takeAll().forEach(request -> request.generation().fail(cause));
        runner.endAll(cause);
      }
    }
    state.countEnded(this::holds);
    if (idleSequences.hasForgotten()) {
      state.aside(idleSequences::closeForgotten);
    }
    if (kvLoader.isPrefetchDue()) {
      state.aside(() -> kvLoader.prefetch(kvCache::admit, idleSequences::forget));
    } else if (isWriteBehindDue()) {
      state.aside(() -> behind.ifPresent(BackgroundParking::begin));
    }
  }

  private boolean holds(Request request) {
    return runner.holds(request) || request.status() == Request.Status.LOADING_KV;
  }

  private boolean isBusy(AgentId agent) {
    return runner.isBusy(agent) || kvLoader.isLoadingFor(agent);
  }

  /** Nothing runs, or all that does waits for somebody who will say when he is done. */
  private boolean hasNothingToStep() {
    return runner.awaitsConstraints() && kvLoader.allAreBeingRead();
  }

  private boolean isIdle() {
    return runner.size() == 0 && kvLoader.allAreBeingRead();
  }

  private boolean hasSpareWork() {
    return kvLoader.isPrefetchDue() || isWriteBehindDue() || idleSequences.hasForgotten();
  }

  private boolean isWriteBehindDue() {
    boolean idle = isIdle();
    return behind.filter(parking -> parking.isDue(idle)).isPresent();
  }

  private void admit() {
    endOver(kvLoader.takeOver());
    for (KvLoader.RequestLoad load : kvLoader.ready()) {
      attempt(load.request(), () -> begin(load));
      kvLoader.arrived(load, false); // unless it has, with its cache
    }
    for (Request next = state.begin(this::isBusy); next != null; next = state.begin(this::isBusy)) {
      Request begun = next;
      attempt(begun, () -> begin(begun));
    }
  }

  private void begin(Request request) {
    ServingModel serving = state.current();
    int[] tokens =
        request.wasBegun()
            ? request.answer().tokens()
            : PromptValidator.validate(request, serving.model().spec());
    Lookup lookup = request.agent().map(agent -> kvCache.lookup(agent, tokens)).orElse(Lookup.NONE);
    if (lookup == Lookup.NONE) {
      begin(request, tokens, serving, Optional.empty());
    } else {
      kvLoader.load(request, request.agent().orElseThrow(), tokens, serving, lookup);
    }
  }

  private void begin(KvLoader.RequestLoad load) {
    begin(load.request(), load.tokens(), load.serving(), load.cache());
    kvLoader.arrived(load, load.request().computed() > 0);
  }

  private void begin(
      Request request, int[] tokens, ServingModel serving, Optional<LoadedKv> parked) {
    kvCache.begin(request, tokens, serving, parked);
    try {
      request.constrain(constraintThreads, state::wake);
      runner.add(request);
    } catch (Throwable t) {
      request.release();
      ModelRunner.close(request.sequence());
      throw t;
    }
  }

  private void attempt(Request request, Runnable task) {
    try {
      task.run();
    } catch (Throwable t) {
      request.generation().fail(RequestException.of(t));
      if (!runner.holds(request)) { // what it was to go on with is nowhere else
        request.agent().ifPresent(idleSequences::closeLent);
      }
      state.countEnded(this::holds);
      LOG.debug("A request could not be begun", t);
    }
  }

  /** Whoever was preempted and has an answer to give gives it. */
  private static void endOver(List<Request> those) {
    for (Request request : those) {
      boolean cancelled = request.generation().isCancelled();
      request.end(
          cancelled
              ? new RequestException(
                  RequestException.Kind.CANCELLED, "Cancelled before it was begun")
              : new RequestException(
                  RequestException.Kind.TIME_LIMIT, "Out of time before it was begun"));
    }
  }

  private void step() {
    if (runner.size() > 0) {
      runner.step(state.current().model());
      state.stepped();
    }
  }

  private void endAll(RequestException cause) {
    for (Request request : kvLoader.takeAll()) {
      request.end(cause);
    }
    runner.failAll(cause);
    idleSequences.closeLent(); // what was on its way from one to the other
    state.failRunning(cause);
    state.sendAway(cause);
  }

  /**
   * Waits until it has ended, after the engine was closed; a step under way uses the model, so this
   * is not for an interrupt to shorten.
   *
   * @return false if it has not come back from the model or the store by then
   */
  boolean awaitEnd(Duration atMost) {
    return over.await(atMost);
  }
}
