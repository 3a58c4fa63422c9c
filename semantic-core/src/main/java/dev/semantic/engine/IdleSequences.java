package dev.semantic.engine;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.BlockPool;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.spi.Sequence;
import dev.semantic.store.ParkedCache;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Sequences of agents that are not generating just now, kept in the model's memory for their next
 * request. Whoever was silent for longest has to leave first. Used by the engine's scheduler, and
 * by a swap while the scheduler stands still.
 *
 * <p>The order is a number that each sequence has, and no second structure beside the map: one that
 * found no memory for a change would lose an agent, and his blocks with him.
 */
final class IdleSequences {
  /** Whether a sequence is parked as it is. */
  sealed interface Parked {
    enum Not implements Parked {
      CHANGED,
      NEEDED
    }

    /** As the store has told. */
    record As(ParkedCache told) implements Parked {}
  }

  /** It is being parked as it was at one moment. */
  static final class Attempt implements Parked {}

  /** An agent's sequence, the blocks that are booked for it, and whether it is parked as it is. */
  static final class IdleSequence {
    private final Sequence sequence;
    private final BlockPool.Lease lease;
    private final AtomicReference<Parked> parked = new AtomicReference<>(Parked.Not.CHANGED);
    private boolean imported; // by the scheduler's thread
    private @Nullable BlockHashes blocks; // null while nobody has asked
    private volatile long silentSince; // as idle sequences count
    private volatile boolean closed;
    private volatile boolean forgotten;
    private @Nullable IdleSequence nextForgotten;

    private IdleSequence(Sequence sequence, BlockPool.Lease lease, boolean imported) {
      this.sequence = sequence;
      this.lease = lease;
      this.imported = imported;
    }

    /**
     * One that nobody has parked; whatever fails, it costs neither blocks nor the model's memory.
     *
     * @param imported as in {@link KvSnapshot}
     */
    static Optional<IdleSequence> of(
        BlockPool.Lease lease, boolean imported, Supplier<Sequence> source) {
      Sequence sequence;
      try {
        sequence = source.get();
      } catch (Throwable t) {
        lease.close();
        throw t;
      }
      return of(lease, imported, sequence);
    }

    private static Optional<IdleSequence> of(
        BlockPool.Lease lease, boolean imported, Sequence sequence) {
      try {
        return Optional.of(new IdleSequence(sequence, lease, imported));
      } catch (Throwable t) {
        try (lease) {
          sequence.close();
        }
        throw t;
      }
    }

    /** Whether it goes on from what came from outside, and is nobody's but its agent's. */
    boolean isImported() {
      return imported;
    }

    /** All of it that is to be parked, which the model copies out. */
    KvSnapshot snapshot() {
      KvSnapshot snapshot = sequence.snapshot();
      return imported ? snapshot.asImported() : snapshot;
    }

    Sequence sequence() {
      return sequence;
    }

    BlockPool.Lease lease() {
      return lease;
    }

    /** It goes on: what was parked of it is not all of it any more. */
    void change() {
      parked.set(Parked.Not.CHANGED);
      blocks = null;
    }

    /** It holds its first {@code length} tokens only; with none, nothing of what was imported. */
    void shrinkTo(int length) {
      lease.shrinkTo(length);
      imported &= length > 0;
    }

    /** Those of all its tokens; while it is idle. */
    BlockHashes blocks() {
      BlockHashes known = blocks;
      if (known == null) {
        int[] tokens = sequence.tokens();
        known = BlockHashes.of(tokens, tokens.length);
        blocks = known;
      }
      return known;
    }

    /** It falls silent: gives back the blocks that were booked for what was not computed. */
    void settle() {
      lease.shrinkTo(sequence.length());
    }

    Attempt beginParking() {
      Attempt attempt = new Attempt();
      parked.set(attempt);
      return attempt;
    }

    /**
     * What it was when that began is parked; if it has not changed since, it is parked as it is.
     */
    void endParking(Attempt attempt, ParkedCache as) {
      parked.compareAndSet(attempt, new Parked.As(as));
    }

    void parkingFailed(Attempt attempt) {
      parked.compareAndSet(attempt, Parked.Not.CHANGED);
    }

    /** It is as it was parked before. */
    void isParkedAs(ParkedCache as) {
      parked.set(new Parked.As(as));
    }

    /** It holds no token. */
    void hasNothingToSay() {
      parked.set(Parked.Not.NEEDED);
    }

    /** What the store said of it when it was parked as it is, if it was. */
    Optional<ParkedCache> parkedAs() {
      return parked.get() instanceof Parked.As(ParkedCache as)
          ? Optional.ofNullable(as)
          : Optional.empty();
    }

    boolean isParked() {
      Parked now = parked.get();
      return now instanceof Parked.As || now == Parked.Not.NEEDED;
    }

    /** Its agent was forgotten: nobody goes on with it, and it is not parked. */
    void forget() {
      forgotten = true;
    }

    boolean isForgotten() {
      return forgotten;
    }

    /** Whether it is not parked as it is, and nobody is at it. */
    boolean isChanged() {
      return parked.get() == Parked.Not.CHANGED;
    }

    /**
     * A sequence of its own that begins with the first {@code tokens} of this one, which both hold
     * together; empty where that would not be exact, or takes a block that is not there.
     */
    Optional<IdleSequence> fork(int tokens) {
      boolean parts = lease.sharedTokens() < tokens;
      Optional<BlockPool.Fork> begun = lease.beginFork(tokens);
      if (begun.isEmpty()) {
        return Optional.empty();
      }
      try (BlockPool.Fork part = begun.get()) {
        if (parts) {
          change(); // it lies in other parts than those that are parked
        }
        Optional<Sequence> its = sequence.fork(tokens);
        return its.isEmpty() ? Optional.empty() : fork(its.get(), part);
      }
    }

    private static Optional<IdleSequence> fork(Sequence its, BlockPool.Fork part) {
      BlockPool.Lease lease;
      try {
        lease = part.end();
      } catch (Throwable t) {
        its.close();
        throw t;
      }
      return of(lease, false, its);
    }

    void close() {
      if (closed) {
        return;
      }
      closed = true;
      try {
        sequence.close();
      } finally {
        lease.close();
      }
    }
  }

  private static final Comparator<Map.Entry<AgentId, IdleSequence>> COLDEST_FIRST =
      Comparator.comparingLong(entry -> entry.getValue().silentSince);

  /** The bound is the pool's: nothing may leave without being parked. */
  private final ConcurrentMap<AgentId, IdleSequence> idle = new ConcurrentHashMap<>();

  /** Nobody's any more, to be closed where the model may be used; the last of them. */
  private final AtomicReference<@Nullable IdleSequence> forgotten = new AtomicReference<>();

  private final AtomicLong comings = new AtomicLong();
  private final Set<AgentId> pinned = ConcurrentHashMap.newKeySet();

  /** The agent's sequence stays, whoever needs room; also the next one, and the next model's. */
  void pin(AgentId agent) {
    pinned.add(agent);
  }

  void unpin(AgentId agent) {
    pinned.remove(agent);
  }

  boolean isPinned(AgentId agent) {
    return pinned.contains(agent);
  }

  /** How many idle agents are pinned. */
  int pinnedIdle() {
    return (int) idle.keySet().stream().filter(pinned::contains).count();
  }

  /** Sequences that their agents use just now; those that are closed have nobody any more. */
  private final ConcurrentMap<AgentId, IdleSequence> lent = new ConcurrentHashMap<>();

  /** Takes an agent's sequence out for use; whoever takes it puts it back or closes it. */
  Optional<IdleSequence> take(AgentId agent) {
    IdleSequence idleSequence = idle.get(agent);
    if (idleSequence == null) {
      return Optional.empty();
    }
    Optional<IdleSequence> taken = Optional.of(idleSequence);
    putWhole(lent, agent, idleSequence); // first: it is nowhere else if memory runs out
    if (idle.remove(agent, idleSequence)) {
      return taken;
    }
    lent.remove(agent, idleSequence); // somebody else has it
    return Optional.empty();
  }

  /** The agent has nothing idle in memory any more. By any thread. */
  void forget(AgentId agent) {
    IdleSequence its = idle.remove(agent);
    if (its != null) { // from here on nothing is allocated: it is nowhere else
      its.forget();
      IdleSequence last;
      do {
        last = forgotten.get();
        its.nextForgotten = last;
      } while (!forgotten.compareAndSet(last, its));
    }
  }

  boolean hasForgotten() {
    return forgotten.get() != null;
  }

  void closeForgotten() {
    for (IdleSequence next = takeForgotten(); next != null; next = takeForgotten()) {
      ModelRunner.close(next);
    }
  }

  private @Nullable IdleSequence takeForgotten() {
    return forgotten.getAndUpdate(last -> last == null ? null : last.nextForgotten);
  }

  /** Those whose sequences are not parked as they are, the longest silent first. */
  List<AgentId> changed() {
    return coldestFirst(entry -> entry.getValue().isChanged()).map(Map.Entry::getKey).toList();
  }

  /** The agent uses this sequence until it is put here, or closed. */
  void markInUse(AgentId agent, IdleSequence idleSequence) {
    lent.values().removeIf(other -> other.closed);
    lent.put(agent, idleSequence);
  }

  /** Nobody uses any longer what was lent: its requests have ended. */
  void closeLent() {
    for (IdleSequence its : lent.values()) {
      ModelRunner.close(its);
    }
    lent.clear();
  }

  /** What an agent's request was to use, which came to nothing before it was begun. */
  void closeLent(AgentId agent) {
    IdleSequence its = lent.remove(agent);
    if (its != null) {
      ModelRunner.close(its);
    }
  }

  /** The same where the model that it is in closes it. */
  void forgetLent() {
    lent.clear();
  }

  /** Everybody who has a sequence in memory, idle or not. By any thread. */
  Set<AgentId> agents() {
    Set<AgentId> agents = new HashSet<>(idle.keySet());
    lent.forEach(
        (agent, idleSequence) -> {
          if (!idleSequence.closed) {
            agents.add(agent);
          }
        });
    return agents;
  }

  /** Changes whenever somebody comes. */
  long comings() {
    return comings.get();
  }

  void put(AgentId agent, IdleSequence idleSequence) {
    idleSequence.silentSince = comings.incrementAndGet();
    IdleSequence former = putWhole(idle, agent, idleSequence);
    lent.remove(agent);
    if (former != null) {
      former.close();
    }
  }

  /**
   * Or not at all: a map that finds no memory to grow may hold what it was given all the same, and
   * whoever hears of that closes it.
   */
  private static @Nullable IdleSequence putWhole(
      ConcurrentMap<AgentId, IdleSequence> map, AgentId agent, IdleSequence idleSequence) {
    try {
      return map.put(agent, idleSequence);
    } catch (Throwable t) {
      map.remove(agent, idleSequence);
      throw t;
    }
  }

  /** The agent whose sequence would be missed least, of those that are not pinned or excepted. */
  Optional<AgentId> coldest(Set<AgentId> except) {
    return coldestFirst(entry -> !isPinned(entry.getKey()) && !except.contains(entry.getKey()))
        .map(Map.Entry::getKey)
        .findFirst();
  }

  private Stream<Map.Entry<AgentId, IdleSequence>> coldestFirst(
      Predicate<Map.Entry<AgentId, IdleSequence>> which) {
    return idle.entrySet().stream().filter(which).sorted(COLDEST_FIRST);
  }

  void forEach(Consumer<IdleSequence> task) {
    idle.values().forEach(task);
  }

  /** All of them, the least missed last. */
  Map<AgentId, IdleSequence> all() {
    Map<AgentId, IdleSequence> all = new LinkedHashMap<>();
    coldestFirst(entry -> true)
        .toList()
        .reversed()
        .forEach(entry -> all.put(entry.getKey(), entry.getValue()));
    return all;
  }

  Optional<IdleSequence> peek(AgentId agent) {
    return Optional.ofNullable(idle.get(agent));
  }

  /** How many have something that is not parked as it is. */
  int unparked() {
    return (int) idle.values().stream().filter(idleSequence -> !idleSequence.isParked()).count();
  }

  int size() {
    return idle.size();
  }

  /**
   * Closes all; one that fails to close keeps no other from it, and is told of at the end.
   *
   * @param taking takes one out, as long as they are the caller's to close
   */
  void closeAll(Function<Supplier<Optional<IdleSequence>>, Optional<IdleSequence>> taking) {
    RuntimeException failure = null;
    OutOfMemoryError none = null;
    Optional<IdleSequence> left;
    do {
      left = taking.apply(() -> Optional.ofNullable(takeForgotten()));
      left.ifPresent(ModelRunner::close);
    } while (left.isPresent());
    for (AgentId agent : Map.copyOf(idle).keySet()) {
      try {
        taking.apply(() -> take(agent)).ifPresent(IdleSequence::close);
      } catch (OutOfMemoryError e) { // it may still be there
        none = e;
      } catch (Throwable t) {
        if (failure == null) {
          failure = new IllegalStateException("The sequence of " + agent + " was not closed", t);
        } else {
          failure.addSuppressed(t);
        }
      }
    }
    if (none != null) {
      throw none;
    }
    if (failure != null) {
      throw failure;
    }
  }
}
