package dev.semantic.engine;

import dev.semantic.kv.AgentId;
import dev.semantic.log.Log;
import dev.semantic.store.CacheStore;
import dev.semantic.store.ParkedCache;
import dev.semantic.timeline.Monitor;
import dev.semantic.timeline.ThreadFrame;
import dev.semantic.timeline.Timeline;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Brings agents back while the model that they parked with serves already: pinned ones first, then
 * the most recent. A thread of its own reads one cache at a time, and the scheduler takes it over
 * between two steps. An agent who asks before it is brought back reads its own cache and waits for
 * no other; it is not brought back once more.
 *
 * <p>Only a head start: who does not come back here comes back with the next request.
 */
final class AgentPrefetch {
  private static final Log LOG = Log.of(AgentPrefetch.class);

  private final CacheStore store;
  private final KvLoader kvLoader;
  private final Predicate<AgentId> pinned;
  private final Predicate<ParkedCache> fits;
  private final KvReaders kvReaders;
  private final Runnable wake;
  private final Monitor monitor;
  private @Nullable Trip present;

  /** What happens behind one beginning of a model. Under the monitor. */
  static final class Trip {
    private final ServingModel serving;
    private final int atMost;
    private final Set<AgentId> parked = new HashSet<>(); // all that are known to be
    private final Set<AgentId> asked = new HashSet<>(); // before they were brought back
    private final Set<AgentId> alone = new HashSet<>(); // of those, who is still on the way
    private final Set<AgentId> back = new HashSet<>();
    private @Nullable Prefetched prefetched;
    private boolean reading = true;

    /**
     * Nobody is back yet.
     *
     * @param atMost the most that are brought back, pinned ones not counted
     */
    Trip(ServingModel serving, int atMost) {
      this.serving = serving;
      this.atMost = atMost;
    }

    private boolean isOver() {
      return !reading && prefetched == null && alone.isEmpty();
    }

    private int count() {
      return (int) back.stream().filter(parked::contains).count();
    }
  }

  /** An agent whose cache has been read. */
  record Prefetched(ParkedCache parked, LoadedKv cache, ServingModel serving) {
    AgentId agent() {
      return parked.agent();
    }
  }

  /**
   * Nobody is brought back yet.
   *
   * @param pinned who comes first, however many there are
   * @param fits whether there is room for one without anybody having to leave
   * @param wake tells the scheduler that a cache has been read
   */
  AgentPrefetch(
      CacheStore store,
      KvLoader kvLoader,
      Timeline timeline,
      KvReaders kvReaders,
      Predicate<AgentId> pinned,
      Predicate<ParkedCache> fits,
      Runnable wake) {
    this.store = store;
    this.kvLoader = kvLoader;
    this.pinned = pinned;
    this.fits = fits;
    this.kvReaders = kvReaders;
    this.wake = wake;
    this.monitor = timeline.monitor();
  }

  /** The trip's model is about to serve; from now on agents may ask for themselves. */
  void prepare(Trip trip) {
    monitor.holding(() -> present = trip);
  }

  /** It serves. */
  void begin(Trip trip) {
    try {
      kvReaders.start(new Travel(trip));
    } catch (Throwable t) { // no more threads, say
      end(trip);
      LOG.warn("Agents are not brought back; each comes back with its next request", t);
    }
  }

  private final class Travel implements ThreadFrame.Work {
    private final Trip trip;

    private Travel(Trip trip) {
      this.trip = trip;
    }

    @Override
    public void run() {
      travel(trip);
    }

    @Override
    public void ended(@Nullable Throwable thrown) {
      end(trip);
      if (thrown != null) {
        LOG.warn("Cannot see which agents are parked", thrown);
      }
    }
  }

  private void travel(Trip trip) {
    List<ParkedCache> all = store.parked(trip.serving.model().spec().tag());
    monitor.holding(() -> all.forEach(one -> trip.parked.add(one.agent())));
    int others = 0;
    for (ParkedCache one : order(all)) {
      boolean first = pinned.test(one.agent());
      if (!isPresent(trip) || (!first && (others == trip.atMost || !fits.test(one)))) {
        break;
      }
      if (!hasAsked(trip, one.agent()) && bring(trip, one) && !first) {
        others++;
      }
    }
  }

  private List<ParkedCache> order(List<ParkedCache> mostRecentFirst) {
    return mostRecentFirst.stream()
        .sorted(Comparator.comparing(one -> !pinned.test(one.agent())))
        .toList();
  }

  /** Reads one cache, and waits until the scheduler has taken it; returns whether it came back. */
  private boolean bring(Trip trip, ParkedCache one) {
    Optional<LoadedKv> cache;
    if (Thread.interrupted()) { // files could not be read any more
      LOG.debug("Somebody interrupted the thread that brings agents back, which ends by itself");
    }
    try {
      cache = kvLoader.own(one.agent(), trip.serving);
    } catch (Throwable t) {
      LOG.warn("Cannot bring {} back yet", one.agent(), t);
      return false;
    }
    if (cache.isEmpty()) {
      return false;
    }
    monitor.holding(() -> trip.prefetched = new Prefetched(one, cache.get(), trip.serving));
    wake.run();
    return awaitTaken(trip, one.agent());
  }

  private boolean awaitTaken(Trip trip, AgentId agent) {
    boolean interrupted = false;
    monitor.lock();
    try {
      while (present == trip && trip.prefetched != null) {
        try {
          monitor.await();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (trip.prefetched != null) {
        trip.prefetched.cache().drop();
        trip.prefetched = null;
      }
      return trip.back.contains(agent);
    } finally {
      monitor.unlock();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private boolean hasAsked(Trip trip, AgentId agent) {
    return monitor.holding(() -> trip.asked.contains(agent));
  }

  @SuppressWarnings("ReferenceEquality") // another beginning of the same model is another one
  private boolean isPresent(Trip trip) {
    return monitor.holding(() -> present == trip);
  }

  private void end(Trip trip) {
    monitor.holding(
        () -> {
          trip.reading = false;
          monitor.signalAll();
        });
  }

  /** Nobody is brought back any more: the model leaves. */
  void stop() {
    monitor.holding(
        () -> {
          present = null;
          monitor.signalAll();
        });
  }

  /** Whether the scheduler may let somebody in. */
  boolean isReady() {
    return monitor.holding(() -> present != null && present.prefetched != null);
  }

  /**
   * Lets in whose cache has been read, unless he has asked meanwhile. On the scheduler's thread,
   * while the model serves.
   *
   * @param door gives him a sequence; false if it can't
   * @param regret hears of who was forgotten while he was let in
   */
  void admit(Predicate<Prefetched> door, Consumer<AgentId> regret) {
    Trip trip = monitor.holding(() -> present);
    Prefetched prefetched = trip == null ? null : monitor.holding(() -> trip.prefetched);
    if (trip == null || prefetched == null) {
      return;
    }
    boolean in = false;
    try {
      in = !hasAsked(trip, prefetched.agent()) && door.test(prefetched);
      if (in && hasAsked(trip, prefetched.agent())) {
        regret.accept(prefetched.agent());
      }
    } finally {
      boolean isBack = in;
      prefetched.cache().drop(); // which does nothing to what is in
      monitor.holding(
          () -> {
            trip.prefetched = null;
            if (isBack) {
              trip.back.add(prefetched.agent());
            }
            monitor.signalAll();
          });
    }
  }

  /** The agent is not brought back any more. */
  void forget(AgentId agent) {
    monitor.holding(
        () -> {
          if (present != null) {
            present.asked.add(agent);
            present.parked.remove(agent);
          }
        });
  }

  /** An agent asks, and its own cache is read for it. */
  void comesAlone(AgentId agent) {
    monitor.holding(
        () -> {
          if (present != null && present.asked.add(agent)) {
            present.alone.add(agent);
          }
        });
  }

  /** Whoever came alone has got there, with what it had parked or without. */
  void cameAlone(AgentId agent, boolean withCache) {
    monitor.holding(
        () -> {
          if (present != null && present.alone.remove(agent)) {
            if (withCache) {
              present.back.add(agent);
            }
            monitor.signalAll();
          }
        });
  }

  /** Lets whoever waits look whether he still wants to. */
  void wake() {
    monitor.holding(monitor::signalAll);
  }

  /**
   * Waits until all that can be are back; not longer than it is told to.
   *
   * @param unwanted looked at again after each {@link #wake}
   * @return how many of those who were parked are back now
   */
  int await(long nanos, BooleanSupplier unwanted) throws InterruptedException {
    long left = nanos;
    monitor.lock();
    try {
      Trip trip = present;
      if (trip == null) {
        return 0;
      }
      while (present == trip && !trip.isOver() && left > 0 && !unwanted.getAsBoolean()) {
        left = monitor.awaitNanos(left);
      }
      return trip.count();
    } finally {
      monitor.unlock();
    }
  }
}
