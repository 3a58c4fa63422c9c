package dev.semantic.engine;

import dev.semantic.engine.Request.Status;
import dev.semantic.kv.AgentId;
import dev.semantic.kv.BlockPool;
import dev.semantic.log.Log;
import dev.semantic.store.CacheStore;
import dev.semantic.store.ParkedCache;
import dev.semantic.timeline.Monitor;
import dev.semantic.timeline.ThreadFrame;
import dev.semantic.timeline.Timeline;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Loads what agents have parked, on threads of its own, so that everybody else is served meanwhile.
 * The scheduler takes over what is loaded.
 *
 * <p>A request that was begun has its cache loaded at once, whatever else is being loaded. Behind a
 * model that has begun to serve, agents are prefetched one at a time: pinned ones first, then the
 * most recent. That is a head start, no more: an agent who asks before has a load of its own and is
 * not prefetched any more; who is not prefetched comes back with its next request.
 */
final class KvLoader {
  private static final Log LOG = Log.of(KvLoader.class);

  private final CacheStore store;
  private final KvReader reader;
  private final BlockPool pool;
  private final Timeline timeline;
  private final WorkerThreads threads;
  private final Predicate<AgentId> pinned;
  private final Runnable wake;
  private final Monitor monitor;
  private final List<RequestLoad> loads = new ArrayList<>(); // until their requests have arrived
  private @Nullable Prefetch prefetch; // behind the present model

  /** A cache that is being loaded, or has been. */
  abstract class Load implements ThreadFrame.Work {
    private final AgentId agent;
    private final ServingModel serving;
    private boolean done;
    private Optional<LoadedKv> cache = Optional.empty();

    private Load(AgentId agent, ServingModel serving) {
      this.agent = agent;
      this.serving = serving;
    }

    AgentId agent() {
      return agent;
    }

    ServingModel serving() {
      return serving;
    }

    /** What was found, once it is done. */
    Optional<LoadedKv> cache() {
      return cache;
    }

    boolean isDone() {
      return done;
    }

    /** Whether the scheduler still waits for it; under the monitor. */
    abstract boolean isWanted();

    @Override
    public void ended(@Nullable Throwable thrown) { // costs a prefill, no more
      boolean wanted =
          monitor.holding(
              () -> {
                done = true;
                monitor.signalAll();
                return isWanted();
              });
      if (!wanted) {
        cache.ifPresent(LoadedKv::drop);
      }
      wake.run();
      if (thrown != null) {
        LOG.warn("Cannot read what {} parked; it will be computed again", agent, thrown);
      }
    }
  }

  /** For a request that has been begun, and waits for it. */
  final class RequestLoad extends Load {
    private final Request request;
    private final int[] tokens;
    private final CacheReusePolicy.Lookup lookup;

    private RequestLoad(
        Request request,
        AgentId agent,
        int[] tokens,
        ServingModel serving,
        CacheReusePolicy.Lookup lookup) {
      super(agent, serving);
      this.request = request;
      this.tokens = tokens;
      this.lookup = lookup;
    }

    Request request() {
      return request;
    }

    /** What its sequence should hold the beginning of. */
    int[] tokens() {
      return tokens;
    }

    private boolean isOver() {
      return request.isOver(timeline.nanoTime()) || request.generation().isDone();
    }

    @Override
    boolean isWanted() {
      return loads.contains(this);
    }

    @Override
    public void run() {
      super.cache = reader.lookup(lookup, agent(), tokens, serving());
    }
  }

  /** For an agent who is brought back. */
  final class PrefetchLoad extends Load {
    private final ParkedCache parked;

    private PrefetchLoad(ParkedCache parked, ServingModel serving) {
      super(parked.agent(), serving);
      this.parked = parked;
    }

    ParkedCache parked() {
      return parked;
    }

    @Override
    boolean isWanted() {
      return prefetch != null && prefetch.load == this;
    }

    @Override
    public void run() {
      super.cache = reader.own(agent(), serving());
    }
  }

  /** Who is brought back behind one beginning of a model. Under the monitor. */
  private static final class Prefetch {
    private final ServingModel serving;
    private final Deque<ParkedCache> queue = new ArrayDeque<>();
    private final Set<AgentId> parked = new HashSet<>(); // all that are known to be
    private final Set<AgentId> asked = new HashSet<>(); // before they were brought back
    private final Set<AgentId> back = new HashSet<>();
    private int left; // how many more are prefetched, pinned ones not counted
    private boolean listed;
    private @Nullable PrefetchLoad load;

    private Prefetch(ServingModel serving, int atMost) {
      this.serving = serving;
      this.left = atMost;
    }
  }

  /**
   * Nothing is loaded yet.
   *
   * @param pinned who is prefetched first, however many there are
   * @param wake tells the scheduler that something has been loaded
   */
  KvLoader(
      CacheStore store,
      KvReader reader,
      BlockPool pool,
      Timeline timeline,
      WorkerThreads threads,
      Predicate<AgentId> pinned,
      Runnable wake) {
    this.store = store;
    this.reader = reader;
    this.pool = pool;
    this.timeline = timeline;
    this.threads = threads;
    this.pinned = pinned;
    this.wake = wake;
    this.monitor = timeline.monitor();
  }

  /**
   * Begins to load what is parked of a request's beginning.
   *
   * @param tokens what its sequence should hold the beginning of
   */
  void load(
      Request request,
      AgentId agent,
      int[] tokens,
      ServingModel serving,
      CacheReusePolicy.Lookup lookup) {
    RequestLoad load = new RequestLoad(request, agent, tokens, serving, lookup);
    monitor.holding(
        () -> {
          if (prefetch != null) {
            prefetch.asked.add(agent);
          }
          loads.add(load); // last: it is begun, or it is not
        });
    request.become(Status.LOADING_KV);
    start(load);
  }

  private void start(Load load) {
    boolean begun = false;
    try {
      threads.start(load);
      begun = true;
    } finally {
      load.done |= !begun; // not even its end: there is no memory
    }
  }

  /** Those that are loaded, in the order in which they came; each stays until it has arrived. */
  List<RequestLoad> ready() {
    List<RequestLoad> ready = monitor.holding(() -> loads.stream().filter(Load::isDone).toList());
    ready.forEach(load -> load.request().become(Status.RUNNING));
    return ready;
  }

  /**
   * Its request has been begun, or has ended; does nothing the second time.
   *
   * @param withCache whether it goes on with what was parked
   */
  void arrived(RequestLoad load, boolean withCache) {
    monitor.holding(
        () -> {
          if (loads.remove(load) && withCache && prefetch != null) {
            prefetch.back.add(load.agent());
          }
          monitor.signalAll();
        });
  }

  /** Takes out everybody's; nobody waits for what is being read. */
  List<Request> takeAll() {
    return take(true);
  }

  /** Takes out those whose request nobody wants answered any more, or not any more now. */
  List<Request> takeOver() {
    return take(false);
  }

  /** Plain code: on the way of a failure nothing has to be linked. */
  private List<Request> take(boolean all) {
    List<RequestLoad> taken = new ArrayList<>();
    List<Request> requests = new ArrayList<>();
    monitor.lock();
    try {
      for (RequestLoad load : loads) {
        if (all || load.isOver()) {
          taken.add(load);
          requests.add(load.request());
        }
      }
      for (RequestLoad load : taken) {
        load.request().become(Status.RUNNING);
      }
      loads.removeAll(taken);
      monitor.signalAll();
    } finally {
      monitor.unlock();
    }
    for (RequestLoad load : taken) { // what is still being read is dropped by its reader
      LoadedKv cache = load.cache().orElse(null);
      if (cache != null) {
        cache.drop();
      }
    }
    return requests;
  }

  boolean isLoadingFor(AgentId agent) {
    return monitor.holding(() -> loads.stream().anyMatch(load -> load.agent().equals(agent)));
  }

  /** Whether there is nothing to do with any of them yet. */
  boolean allAreBeingRead() {
    return monitor.holding(() -> loads.stream().allMatch(load -> !load.isDone() && !load.isOver()));
  }

  /**
   * A model that has just been loaded is about to serve: its agents are to come back.
   *
   * @param atMost how many are prefetched, pinned ones not counted
   */
  void preparePrefetch(ServingModel serving, int atMost) {
    Prefetch next = new Prefetch(serving, atMost);
    monitor.holding(() -> prefetch = next);
  }

  /** It serves: looks who is parked, and begins. */
  void beginPrefetch() {
    Prefetch begun = monitor.holding(() -> prefetch);
    if (begun != null) {
      threads.start(new Listing(begun));
    }
  }

  private final class Listing implements ThreadFrame.Work {
    private final Prefetch listed;

    private Listing(Prefetch listed) {
      this.listed = listed;
    }

    @Override
    public void run() {
      List<ParkedCache> mostRecentFirst = store.parked(listed.serving.model().spec().tag());
      List<ParkedCache> order =
          mostRecentFirst.stream()
              .sorted(Comparator.comparing(one -> !pinned.test(one.agent())))
              .toList();
      monitor.holding(
          () -> {
            order.forEach(one -> listed.parked.add(one.agent()));
            listed.queue.addAll(order);
          });
    }

    @Override
    public void ended(@Nullable Throwable thrown) {
      monitor.holding(
          () -> {
            listed.listed = true;
            monitor.signalAll();
          });
      wake.run();
      if (thrown != null) {
        LOG.warn("Cannot see who is parked; each comes back with its next request", thrown);
      }
    }
  }

  /** Whether there is room for it without anybody having to leave. */
  private boolean hasRoom(ParkedCache parked) {
    return Math.ceilDiv(parked.tokens(), BlockPool.BLOCK_TOKENS) <= pool.availableBlocks();
  }

  /** Nobody is brought back any more. */
  void stopPrefetch() {
    LoadedKv untaken = null;
    monitor.lock();
    try {
      PrefetchLoad load = prefetch == null ? null : prefetch.load;
      prefetch = null;
      monitor.signalAll();
      untaken = load == null ? null : load.cache().orElse(null);
    } finally {
      monitor.unlock();
    }
    if (untaken != null) {
      untaken.drop();
    }
  }

  /** Whether the scheduler may let somebody in, or begin with the next. */
  boolean isPrefetchDue() {
    return monitor.holding(
        () ->
            prefetch != null
                && (prefetch.load == null ? !prefetch.queue.isEmpty() : prefetch.load.isDone()));
  }

  /**
   * Lets in whose cache has been prefetched, unless he has asked meanwhile, and begins with the
   * next. On the scheduler's thread, while the model serves.
   *
   * @param door gives him a sequence; false if it can't
   * @param regret hears of who was forgotten while he was let in
   */
  void prefetch(Predicate<PrefetchLoad> door, Consumer<AgentId> regret) {
    PrefetchLoad done = monitor.holding(this::donePrefetch); // and with it what it found
    if (done != null) {
      admit(done, door, regret);
    }
    PrefetchLoad next = monitor.holding(this::nextPrefetch);
    if (next != null) {
      start(next);
    }
  }

  private @Nullable PrefetchLoad donePrefetch() {
    PrefetchLoad load = prefetch == null ? null : prefetch.load;
    return load != null && load.isDone() ? load : null;
  }

  private void admit(PrefetchLoad load, Predicate<PrefetchLoad> door, Consumer<AgentId> regret) {
    boolean in = false;
    try {
      in = load.cache().isPresent() && !hasAsked(load.agent()) && door.test(load);
      if (in && hasAsked(load.agent())) {
        regret.accept(load.agent());
      }
    } finally {
      boolean isBack = in;
      load.cache().ifPresent(LoadedKv::drop); // which does nothing to what is in
      monitor.holding(
          () -> {
            if (load.isWanted() && prefetch != null) {
              prefetch.load = null;
              if (isBack) {
                prefetch.back.add(load.agent());
              }
            }
            monitor.signalAll();
          });
    }
  }

  private @Nullable PrefetchLoad nextPrefetch() {
    while (prefetch != null && prefetch.load == null && !prefetch.queue.isEmpty()) {
      ParkedCache next = prefetch.queue.remove();
      boolean first = pinned.test(next.agent());
      if (!first && (prefetch.left == 0 || !hasRoom(next))) {
        prefetch.queue.clear();
      } else if (!prefetch.asked.contains(next.agent())) {
        prefetch.left -= first ? 0 : 1;
        prefetch.load = new PrefetchLoad(next, prefetch.serving);
        return prefetch.load;
      }
    }
    monitor.signalAll(); // there may have been no room for anybody more
    return null;
  }

  private boolean hasAsked(AgentId agent) {
    return monitor.holding(() -> prefetch != null && prefetch.asked.contains(agent));
  }

  /** The agent is not brought back any more. */
  void forget(AgentId agent) {
    monitor.holding(
        () -> {
          if (prefetch != null) {
            prefetch.asked.add(agent);
            prefetch.parked.remove(agent);
          }
        });
  }

  /** Lets whoever waits look whether he still wants to. */
  void wakeWaiting() {
    monitor.holding(monitor::signalAll);
  }

  /**
   * Waits until all that can be are back; not longer than it is told to.
   *
   * @param unwanted looked at again after each {@link #wakeWaiting}
   * @return how many of those who were parked are back now
   */
  int awaitPrefetch(long nanos, BooleanSupplier unwanted) throws InterruptedException {
    long left = nanos;
    monitor.lock();
    try {
      Prefetch awaited = prefetch;
      if (awaited == null) {
        return 0;
      }
      while (prefetch == awaited && !isOver(awaited) && left > 0 && !unwanted.getAsBoolean()) {
        left = monitor.awaitNanos(left);
      }
      return (int) awaited.back.stream().filter(awaited.parked::contains).count();
    } finally {
      monitor.unlock();
    }
  }

  private boolean isOver(Prefetch awaited) {
    return awaited.listed && awaited.load == null && awaited.queue.isEmpty() && loads.isEmpty();
  }
}
