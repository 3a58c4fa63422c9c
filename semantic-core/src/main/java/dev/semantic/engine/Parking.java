package dev.semantic.engine;

import dev.semantic.engine.IdleSequences.IdleSequence;
import dev.semantic.kv.AgentId;
import dev.semantic.kv.AgentSnapshot;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.log.Log;
import dev.semantic.store.CacheStore;
import dev.semantic.store.ParkedCache;
import dev.semantic.store.ParkingResult;
import dev.semantic.store.ParkingStatus;
import dev.semantic.timeline.Monitor;
import dev.semantic.timeline.Nanos;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Writes agents' caches to the store, several at a time. Parked is who is there when the store is
 * asked, not who was written once. Knows whether the store can be written at all: after it failed
 * several times in a row it is left alone for a while.
 */
final class Parking {
  private static final Log LOG = Log.of(Parking.class);

  /**
   * What is held of several agents at once outside the model's memory, but for the last of them.
   */
  static final long BATCH_BYTES = Math.min(64L << 20, Runtime.getRuntime().maxMemory() / 32);

  static final int BATCH_AGENTS = 512;

  /** One agent's file may be in trouble, and no other's. */
  private static final int FAILURES_UNTIL_PAUSE = 3;

  /** From then on a store that does not say how it stands counts as one that takes nothing. */
  private static final Duration LONGEST_SILENCE = Duration.ofSeconds(5);

  private static final long FIRST_PAUSE = Duration.ofSeconds(1).toNanos();
  private static final int LONGEST_SHIFT = 5; // 32 s

  private final CacheStore store;
  private final Timeline timeline;
  private final Monitor monitor;
  private final LastKnown<ParkingStatus> said;
  private final Set<Copied> underWay = Collections.newSetFromMap(new IdentityHashMap<>());
  private int failures; // in a row
  private long nextTry;
  private @Nullable Instant since;
  private String why = "";

  /** An agent's cache as it was at one moment. */
  record Copied(
      AgentId agent,
      IdleSequence idleSequence,
      IdleSequences.Attempt attempt,
      KvSnapshot snapshot) {}

  Parking(CacheStore store, Timeline timeline) {
    this.store = store;
    this.timeline = timeline;
    this.monitor = timeline.monitor();
    this.said =
        new LastKnown<>(
            timeline, "semantic-store-status", store::status, new ParkingStatus.Parking());
  }

  /** Copies an agent's cache, to be written or dropped. Where the model may be used. */
  Copied copy(AgentId agent, IdleSequence idleSequence) {
    IdleSequences.Attempt attempt = idleSequence.beginParking();
    try {
      Copied copied = new Copied(agent, idleSequence, attempt, idleSequence.snapshot());
      monitor.holding(() -> underWay.add(copied));
      return copied;
    } catch (Throwable t) {
      idleSequence.parkingFailed(attempt);
      throw t;
    }
  }

  /** What was copied is not written; somebody may try again. Nothing, if it was. */
  void drop(Collection<Copied> those) {
    those.forEach(copied -> copied.idleSequence().parkingFailed(copied.attempt()));
    ended(those);
  }

  private void ended(Collection<Copied> those) {
    monitor.holding(
        () -> {
          those.forEach(underWay::remove);
          monitor.signalAll();
        });
  }

  /**
   * Writes them; any thread, but one at a time.
   *
   * @return why those were not that were not
   */
  List<Throwable> write(List<Copied> those) {
    try {
      return writeWanted(
          those.stream().filter(each -> !each.idleSequence().isForgotten()).toList());
    } finally {
      drop(those);
    }
  }

  private List<Throwable> writeWanted(List<Copied> those) {
    List<ParkingResult> results = results(those);
    List<Throwable> failed = new ArrayList<>();
    for (int i = 0; i < those.size(); i++) {
      Copied copied = those.get(i);
      ParkingResult result = results.get(i);
      if (result instanceof ParkingResult.Parked(ParkedCache cache)) {
        copied.idleSequence().endParking(copied.attempt(), cache);
        removeIfForgotten(copied);
      } else if (result instanceof ParkingResult.Failed(AgentId agent, Throwable cause)) {
        failed.add(cause);
        LOG.debug("{} is not parked", agent, cause);
      }
    }
    if (failed.size() < those.size()) {
      works();
    } else if (!failed.isEmpty()) {
      fails(failed.getFirst());
    }
    return failed;
  }

  /** He was forgotten while he was being parked. */
  private void removeIfForgotten(Copied copied) {
    try {
      if (copied.idleSequence().isForgotten()) {
        store.remove(copied.agent(), copied.snapshot().tag());
      }
    } catch (Throwable t) {
      LOG.warn("{} was forgotten, and what was just parked of it is there", copied.agent(), t);
    }
  }

  /**
   * What is copied of an agent is not written, or removed once it is.
   *
   * @return whether nothing of it is under way any more
   */
  boolean forget(AgentId agent, Duration atMost) {
    long left = Nanos.of(atMost);
    boolean interrupted = false;
    monitor.lock();
    try {
      underWay.stream()
          .filter(each -> each.agent().equals(agent))
          .forEach(one -> one.idleSequence().forget());
      while (isUnderWay(agent) && left > 0) {
        try {
          left = monitor.awaitNanos(left);
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      return !isUnderWay(agent);
    } finally {
      monitor.unlock();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private boolean isUnderWay(AgentId agent) {
    return underWay.stream().anyMatch(each -> each.agent().equals(agent));
  }

  private List<ParkingResult> results(List<Copied> those) {
    try {
      List<ParkingResult> results =
          store.parkAll(
              those.stream()
                  .map(each -> new AgentSnapshot(each.agent(), each.snapshot()))
                  .toList());
      if (results.size() == those.size()) {
        return results;
      }
      throw new IllegalStateException(
          "%s was given %d caches to park and told of %d"
              .formatted(store.getClass(), those.size(), results.size()));
    } catch (Throwable t) { // which a store should not throw
      return those.stream()
          .<ParkingResult>map(each -> new ParkingResult.Failed(each.agent(), t))
          .toList();
    }
  }

  private void works() {
    boolean again =
        monitor.holding(
            () -> {
              boolean failed = since != null;
              failures = 0;
              since = null;
              return failed;
            });
    if (again) {
      LOG.info("Agents can be parked again");
    }
  }

  /** Nobody could be parked just now. */
  void fails(Throwable cause) {
    boolean first =
        monitor.holding(
            () -> {
              failures++;
              int shift = Math.clamp(failures - FAILURES_UNTIL_PAUSE, 0, LONGEST_SHIFT);
              nextTry = timeline.nanoTime() + (FIRST_PAUSE << shift);
              why = Log.reason(cause);
              boolean worked = since == null;
              since = worked ? timeline.now() : since;
              return worked;
            });
    if (first) {
      LOG.warn("Agents cannot be parked, and go on from memory; it is tried again", cause);
    }
  }

  /** Nanoseconds until the store is to be tried again; 0 or less if it may be now. */
  long pause() {
    return monitor.holding(
        () -> failures < FAILURES_UNTIL_PAUSE ? 0 : nextTry - timeline.nanoTime());
  }

  /** As the store has it, or as it was found to be; not waited for. */
  ParkingStatus status() {
    ParkingStatus its = said.get();
    if (its instanceof ParkingStatus.Suspended) {
      return its;
    }
    ParkingStatus found =
        said.silentSince(LONGEST_SILENCE)
            .<ParkingStatus>map(
                asked ->
                    new ParkingStatus.Suspended(
                        asked, "The store was asked how it stands, and has not come back"))
            .orElse(its);
    return monitor.holding(() -> since == null ? found : new ParkingStatus.Suspended(since, why));
  }

  /** Whether what is parked of an agent is what it has in memory. Asks the store. */
  boolean isThere(AgentId agent, IdleSequence idleSequence) {
    return idleSequence
        .parkedAs()
        .filter(
            told ->
                store.parked(agent, told.tag()).filter(there -> isSame(told, there)).isPresent())
        .isPresent();
  }

  /** And not what somebody else has put in its place. */
  private static boolean isSame(ParkedCache told, @Nullable ParkedCache there) {
    return there != null && told.tokens() == there.tokens() && told.when().equals(there.when());
  }

  /**
   * Parks all of these who are not parked as they are, as far as the store can tell.
   *
   * @param cancelled asked before every agent, and before anything is written
   * @return how many are parked now
   * @throws CancellationException if it was cancelled
   * @throws RuntimeException or an Error: why somebody could not be parked
   */
  int parkAll(Map<AgentId, IdleSequence> all, BooleanSupplier cancelled) {
    Map<AgentId, ParkedCache> there = there(all.values());
    Map<AgentId, IdleSequence> parked = new HashMap<>();
    List<Copied> batch = new ArrayList<>();
    try {
      long bytes = 0;
      for (Map.Entry<AgentId, IdleSequence> entry : all.entrySet()) {
        requireWanted(cancelled);
        AgentId agent = entry.getKey();
        IdleSequence idle = entry.getValue();
        if (idle.isForgotten() || idle.sequence().length() == 0) {
          continue; // it has nothing to say
        }
        parked.put(agent, idle);
        if (idle.parkedAs().filter(told -> isSame(told, there.get(agent))).isEmpty()) {
          Copied copied = copy(agent, idle);
          batch.add(copied);
          bytes += copied.snapshot().bytes();
        }
        if (bytes >= BATCH_BYTES || batch.size() == BATCH_AGENTS) {
          writeAll(batch, cancelled);
          bytes = 0;
        }
      }
      writeAll(batch, cancelled);
    } finally {
      drop(batch);
    }
    parked.values().removeIf(IdleSequence::isForgotten);
    return !mayForget()
        ? parked.size()
        : (int) there(parked.values()).keySet().stream().filter(parked::containsKey).count();
  }

  /** Whether what was parked just now may be gone already. */
  private boolean mayForget() {
    try {
      return store.usage().isPresent();
    } catch (Throwable t) { // a figure, which must not cost those who are parked
      LOG.warn("The store does not tell how full it is", t);
      return true;
    }
  }

  /** What the store has of the model whose these are, if any of them was parked. */
  private Map<AgentId, ParkedCache> there(Collection<IdleSequence> those) {
    Map<AgentId, ParkedCache> there = new HashMap<>();
    Optional<ParkedCache> any =
        those.stream().map(IdleSequence::parkedAs).flatMap(Optional::stream).findFirst();
    try {
      any.ifPresent(
          one -> store.parked(one.tag()).forEach(cache -> there.put(cache.agent(), cache)));
    } catch (Throwable t) { // nobody counts as parked, then
      LOG.warn("The store does not tell who is parked", t);
    }
    return there;
  }

  private void writeAll(List<Copied> batch, BooleanSupplier cancelled) {
    if (batch.isEmpty()) {
      return;
    }
    requireWanted(cancelled);
    List<Throwable> failed = write(batch);
    batch.clear();
    if (!failed.isEmpty()) {
      throw Parking.<RuntimeException>asItIs(failed.getFirst());
    }
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // whatever a store throws
  private static <T extends Throwable> T asItIs(Throwable failure) throws T {
    throw (T) failure;
  }

  private static void requireWanted(BooleanSupplier cancelled) {
    if (cancelled.getAsBoolean()) {
      throw new CancellationException("Nobody wants the agents parked any more");
    }
  }
}
