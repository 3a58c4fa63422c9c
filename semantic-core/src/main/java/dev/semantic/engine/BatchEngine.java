package dev.semantic.engine;

import dev.semantic.generate.ArrivalPolicy;
import dev.semantic.generate.EngineMode;
import dev.semantic.generate.EngineOptions;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.RequestException;
import dev.semantic.kv.AgentId;
import dev.semantic.kv.BlockPool;
import dev.semantic.log.Log;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.Tokenizer;
import dev.semantic.store.CacheException;
import dev.semantic.store.CacheStore;
import dev.semantic.store.ParkingStatus;
import dev.semantic.timeline.Nanos;
import dev.semantic.timeline.ThreadFrame;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Serves requests with one model at a time. A scheduler thread of its own steps the model: a chunk
 * of one prompt, then a token for everybody. The queue belongs to the engine and outlives the
 * model: requests that come while none serves wait for the next one, up to a bound and a deadline.
 *
 * <p>Requests may come from any thread. {@link #drain}, {@link #parkAgents}, {@link #shutdown} and
 * {@link #reinitialize} are for whoever changes the model; what is still done with a permit from
 * before {@link #giveUp} has no effect.
 */
public final class BatchEngine implements AutoCloseable {
  private static final Log LOG = Log.of(BatchEngine.class);

  /** How long closing waits for a step of the model, and for its sequences to be closed. */
  private static final Duration LAST_STEP = Duration.ofSeconds(10);

  /** More than a scheduler that has failed takes to tell its requests, or to give that up. */
  private static final Duration LAST_WORDS = Duration.ofMinutes(2);

  private static final long A_MOMENT = Duration.ofSeconds(1).toNanos();

  /**
   * How many threads may hang in the store besides: from then on prompts are computed, whatever is
   * parked of them.
   */
  private static final int ABANDONED_READS = 32;

  /** How many answers that have ended may still have a constraint that does not come back. */
  private static final int ABANDONED_CONSTRAINTS = 32;

  /** How long somebody is waited for who is being parked. */
  private static final Duration LONGEST_WRITE = Duration.ofSeconds(5);

  private final EngineOptions options;
  private final BlockPool pool;
  private final IdleSequences idle = new IdleSequences();
  private final Parking parking;
  private final BackgroundParking behind;
  private final KvReader kvReader;
  private final KvCacheManager kvCache;
  private final EngineState state;
  private final KvLoader kvLoader;
  private final WorkerThreads readerThreads;
  private final WorkerThreads constraintThreads;
  private final PromptTokenizer tokenizer;
  private final Supplier<Scheduler> fresh;
  private final Runnable reopening; // made betimes: a model may have to resume without memory
  private final Timeline timeline;
  private volatile Scheduler scheduler;
  private volatile boolean still = true;
  private volatile boolean closed; // all that could be

  /** An engine without a model; it takes requests at once, and serves once it has one. */
  public BatchEngine(EngineOptions options, BlockPool pool, CacheStore store) {
    this(options, pool, store, Timeline.SYSTEM);
  }

  /** The same, in a time of its own. */
  @SuppressWarnings("exports") // for this module's own use
  public BatchEngine(EngineOptions options, BlockPool pool, CacheStore store, Timeline timeline) {
    this.options = options;
    this.pool = pool;
    this.state = new EngineState(timeline, options);
    this.parking = new Parking(store, timeline);
    this.behind = new BackgroundParking(idle, parking, timeline, state::wake);
    this.kvReader = new KvReader(store, pool);
    this.kvCache = new KvCacheManager(idle, pool, kvReader, parking, behind);
    this.timeline = timeline;
    this.readerThreads =
        new WorkerThreads(timeline, "semantic-restore", options.maxRunning() + ABANDONED_READS);
    this.constraintThreads =
        new WorkerThreads(
            timeline, "semantic-constrain", options.maxRunning() + ABANDONED_CONSTRAINTS);
    this.tokenizer =
        new PromptTokenizer(
            state, new WorkerThreads(timeline, "semantic-tokenize", Integer.MAX_VALUE));
    this.kvLoader =
        new KvLoader(store, kvReader, pool, timeline, readerThreads, idle::isPinned, state::wake);
    this.fresh =
        () ->
            new Scheduler(
                timeline,
                state,
                kvCache,
                new ModelRunner(idle, kvCache),
                options.writeBehind() ? Optional.of(behind) : Optional.empty(),
                kvLoader,
                tokenizer,
                idle,
                constraintThreads);
    this.reopening = this::reopen;
    this.scheduler = fresh.get();
    watch(timeline);
  }

  /** Or no threads at all. */
  private void watch(Timeline timeline) {
    try {
      Watchdog.start(timeline, state);
    } catch (Throwable t) {
      state.close();
      throw t;
    }
  }

  /**
   * Takes a request.
   *
   * @throws RequestException if the engine is closed, the queue is full, or no model serves and
   *     such requests are refused
   */
  public Generation submit(GenerationRequest request) {
    return state.submit(request);
  }

  /**
   * Tells what is coming.
   *
   * @param model requests that name it wait for it, although another one serves; null for none
   * @param arrivals what becomes of requests that come while no model serves
   * @param retryAfter when those that are refused may ask again
   */
  public void expect(@Nullable ModelId model, ArrivalPolicy arrivals, Duration retryAfter) {
    state.expect(new SwapNotice(model, arrivals, retryAfter, null));
  }

  /**
   * Begins nothing new, and brings what was begun to its end, or to a halt, as the order says. If
   * that takes too long or is cancelled, everything goes on as before and nothing is lost.
   *
   * @return how many requests were still running when time ran out; 0 means drained
   */
  public int drain(DrainOrder order) throws InterruptedException {
    return state.drain(order);
  }

  /**
   * Begins with a fresh scheduler if the last one ended as it should not have: with the model that
   * it has, if it has one. Otherwise nothing.
   */
  public void revive() {
    if (state.mode() == EngineMode.FAILED) {
      scheduler.awaitEnd(LAST_WORDS);
      scheduler.endWhatIsLeft();
      scheduler = fresh.get();
      state.revive();
      LOG.info("The engine works again");
    }
  }

  private void reopen() {
    kvReader.open(state.current());
  }

  /** Goes on serving with the model that was drained. */
  public void resume() {
    long permit = state.permit();
    state.enter(EngineMode.DRAINED, permit);
    state.become(permit, EngineMode.SERVING, state.current(), reopening);
  }

  /**
   * Parks the caches of all agents who are not parked as they are, as far as the store can tell;
   * they stay in memory too. Only after {@link #drain}.
   *
   * @param permit taken before
   * @param cancelled asked before every agent
   * @return how many are parked now
   * @throws CancellationException if it was cancelled, or given up; what was parked is parked
   */
  public int parkAgents(long permit, BooleanSupplier cancelled) {
    state.enter(EngineMode.DRAINED, permit);
    BooleanSupplier unwanted = () -> cancelled.getAsBoolean() || state.givenUp(permit);
    behind.awaitWritten(unwanted);
    return parking.parkAll(idle.all(), unwanted);
  }

  /** Lets go of the model and of every sequence; the queue stays. Only after {@link #drain}. */
  public void shutdown(long permit) {
    state.enter(EngineMode.DRAINED, permit);
    kvLoader.stopPrefetch();
    kvReader.close();
    idle.closeAll(taking -> state.permitted(permit, taking));
    state.become(permit, EngineMode.EMPTY, null, this::forgetLost);
  }

  /** What somebody lost for want of memory is gone with the model, and keeps no other out. */
  private void forgetLost() {
    idle.forgetLent();
    int lost = pool.totalBlocks() - pool.availableBlocks();
    if (lost > 0) {
      pool.forgetLeases();
      LOG.error("{} blocks were not given back; they are now", lost);
    }
  }

  /**
   * Begins to serve with a model. Agents who parked a cache under its tag are brought back while it
   * serves, most recent first, as far as there is room; one who asks before that waits for its own
   * cache only.
   *
   * @param permit taken before
   */
  public void reinitialize(long permit, LoadedModel model, Tokenizer text) {
    state.enter(EngineMode.EMPTY, permit);
    ModelSpec spec = model.spec();
    pool.reconfigure(spec.kvLayout(), spec.kvPrecision());
    ServingModel next = new ServingModel(model, text);
    state.become(
        permit,
        EngineMode.SERVING,
        next,
        () -> {
          kvReader.open(next);
          kvLoader.preparePrefetch(next, options.maxPrefetchedAgents());
        });
    kvLoader.beginPrefetch();
  }

  /**
   * Waits until the agents whom {@link #reinitialize} brings back are back, or it takes too long.
   *
   * @param unwanted whether nobody waits any more; asked again after each {@link #wake}
   * @return how many of those who were parked under the model's tag have come back, with or before
   *     a request
   */
  public int awaitAgents(Duration atMost, BooleanSupplier unwanted) throws InterruptedException {
    return kvLoader.awaitPrefetch(Nanos.of(atMost), unwanted);
  }

  /**
   * Keeps an agent's cache in memory, whoever needs room, and brings it back first when its model
   * returns; until {@link #unpin}. It may be pinned before it has asked anything.
   */
  public void pin(AgentId agent) {
    idle.pin(agent);
  }

  /** Lets an agent's cache leave memory again when others need room. */
  public void unpin(AgentId agent) {
    idle.unpin(agent);
  }

  /**
   * Forgets what an agent has in memory, what a tokenizer remembers of texts (of others', too), its
   * pin, and what is being written or read of it. Requests of it that were asked before go on, and
   * what is computed for them is dropped when they end. What is parked is the store's to forget.
   * Any thread; waits for a write of the agent's that is under way.
   *
   * @throws CacheException if that does not end; what is written is removed then
   */
  public void forget(AgentId agent) {
    kvLoader.forget(agent);
    idle.unpin(agent);
    state.forget(agent, () -> idle.forget(agent));
    ServingModel present = state.serving();
    if (present != null) {
      PromptTokenizer.forgetTexts(present);
    }
    if (!parking.forget(agent, LONGEST_WRITE)) {
      throw new CacheException(
          "%s is still being parked after %s; what is written is removed then. Ask again"
              .formatted(agent, LONGEST_WRITE));
    }
  }

  /** Whether agents can be parked, as the store says or as it was found to be. Never waits. */
  public ParkingStatus parking() {
    return parking.status();
  }

  /** What the parts of a change of the model must show. */
  public long permit() {
    return state.permit();
  }

  /**
   * Takes the change of the model out of the hands of a thread that does not come back: permits
   * become void, and what it still holds counts for nothing.
   */
  public void giveUp() {
    state.giveUp();
    if (state.mode() == EngineMode.EMPTY) {
      pool.forgetLeases();
    }
  }

  /** Whether requests are answered, or were until it was drained, with this very model. */
  @SuppressWarnings("ReferenceEquality") // another load of the same weights is another model
  public boolean hasModel(LoadedModel model) {
    ServingModel present = state.serving();
    return present != null && present.model() == model;
  }

  /** The model that answers at this moment, if one does. */
  public Optional<ModelSpec> serving() {
    return state.answering().map(present -> present.model().spec());
  }

  /** What it is doing. */
  public EngineMode mode() {
    return state.mode();
  }

  /** Lets a drain, and whoever waits for agents, look whether it was cancelled. */
  public void wake() {
    state.wake();
    kvLoader.wakeWaiting();
  }

  /** How many steps of the model have come back so far. */
  public long steps() {
    return state.steps();
  }

  /** Ends every request under way before its next token; what was generated is its answer. */
  public void cancelRunning() {
    state.cancelRunning();
  }

  /**
   * No model serves, and none is coming: ends all that have not been begun, and refuses those that
   * come until {@link #expect} or {@link #admitAgain}. Does nothing while a model serves.
   *
   * @param why made for each of them; asked under the engine's lock
   */
  public void refuse(Supplier<RequestException> why) {
    state.refuse(why);
  }

  /** Lets requests wait again for a model to come, if they were refused. */
  public void admitAgain() {
    state.admitAgain();
  }

  /** Whether somebody is being answered, or was a moment ago: agents think between two turns. */
  public boolean isBusy() {
    return state.isUsedWithin(A_MOMENT);
  }

  /** For how long nobody has asked anything and nothing was under way; zero while something is. */
  public long idleNanos() {
    return state.idleNanos();
  }

  /** Requests that have been begun and not ended. */
  public int running() {
    return state.running();
  }

  /** Requests that have not been begun, or were preempted. */
  public int queued() {
    return state.queued();
  }

  /** Agents whose caches are in memory and idle. */
  public int hotAgents() {
    return idle.size();
  }

  /** Agents whose caches are in memory and idle, and not parked as they are. */
  public int unparkedAgents() {
    return idle.unparked();
  }

  /** Agents whose sequences are in memory, idle or generating. */
  public Set<AgentId> agents() {
    return idle.agents();
  }

  /**
   * Whether nobody uses the model any more once this is {@link #close closed}. If a call of the
   * model or the store did not come back, the model is better left as it is than freed under it.
   */
  public boolean isStill() {
    return still;
  }

  /**
   * Ends everything: requests fail, sequences are closed; the model is its owner's to close, unless
   * it is not {@link #isStill still}. What hangs is waited for for some seconds, no longer.
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    state.close();
    still = scheduler.awaitEnd(LAST_STEP);
    if (!still) {
      RequestException cause =
          new RequestException(
              RequestException.Kind.CLOSED,
              "The engine was closed while the model or the store had not come back");
      state.failRunning(cause);
      state.sendAway(cause);
      LOG.error(
          "A step of the model or the store has not come back for {}; what it uses is left alone",
          LAST_STEP);
    }
    readerThreads.close();
    tokenizer.close();
    constraintThreads.close();
    behind.close();
    if (still) {
      kvReader.close();
      still = ThreadFrame.within(timeline, "semantic-close-agents", LAST_STEP, this::closeAgents);
    }
    closed = true; // last: whoever had no memory for it closes again
  }

  private void closeAgents() {
    try {
      idle.closeAll(Supplier::get);
    } finally {
      idle.closeLent();
    }
  }
}
