package dev.semantic.engine;

import dev.semantic.engine.IdleSequences.IdleSequence;
import dev.semantic.kv.AgentId;
import dev.semantic.kv.BlockPool;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.log.Log;
import dev.semantic.spi.Sequence;
import java.util.HashSet;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Finds each request the sequence it goes on with: the agent's own, from memory or from where it is
 * parked, or an empty one. On the scheduler's thread, but for what is read.
 */
final class KvCacheManager {
  private static final Log LOG = Log.of(KvCacheManager.class);

  private final IdleSequences idleSequences;
  private final BlockPool pool;
  private final KvReader kvReader;
  private final Parking parking;
  private final BackgroundParking behind;
  private long begun; // by the scheduler's thread: how many requests

  KvCacheManager(
      IdleSequences idleSequences,
      BlockPool pool,
      KvReader kvReader,
      Parking parking,
      BackgroundParking behind) {
    this.idleSequences = idleSequences;
    this.pool = pool;
    this.kvReader = kvReader;
    this.parking = parking;
    this.behind = behind;
  }

  /** What is to be read of a prompt's beginning before it is begun. */
  CacheReusePolicy.Lookup lookup(AgentId agent, int[] prompt) {
    OptionalInt inMemory =
        idleSequences
            .peek(agent)
            .map(idle -> OptionalInt.of(common(idle, prompt)))
            .orElse(OptionalInt.empty());
    return CacheReusePolicy.lookup(inMemory, prompt.length);
  }

  private static int common(IdleSequence idle, int[] prompt) {
    try {
      return idle.sequence().common(prompt);
    } catch (Throwable t) {
      LOG.warn("A sequence cannot tell what it holds", t);
      return prompt.length; // whoever goes on with it will see
    }
  }

  /** Begins it, or goes on with it, with what was parked, if anything. */
  void begin(Request request, int[] tokens, ServingModel serving, Optional<LoadedKv> parked) {
    IdleSequence sequence = continued(request, tokens, serving, parked);
    try {
      request.agent().ifPresent(agent -> idleSequences.markInUse(agent, sequence));
      int held = sequence.sequence().length();
      if (request.wasBegun()) {
        request.resume(serving, sequence, held);
      } else {
        request.begin(begun++, sequence, serving, tokens, held);
      }
    } catch (Throwable t) {
      sequence.close();
      throw t;
    }
  }

  /** A sequence that holds as many of the first tokens as can be had, but never all of them. */
  private IdleSequence continued(
      Request request, int[] tokens, ServingModel serving, Optional<LoadedKv> parked) {
    IdleSequence sequence;
    Optional<LoadedKv> known = parked.filter(cache -> !request.generation().isForgotten());
    try {
      sequence =
          request
              .agent()
              .flatMap(idleSequences::take)
              .flatMap(idle -> unlessLess(idle, known, tokens))
              .or(() -> known.flatMap(cache -> restore(request, cache, serving)))
              .orElseGet(() -> fresh(serving));
    } finally {
      parked.ifPresent(LoadedKv::drop); // which does nothing to what was begun with
    }
    sequence.change();
    try {
      int held = CacheReusePolicy.kept(sequence.sequence().common(tokens), tokens.length);
      if (held == sequence.sequence().length() || sequence.sequence().trim(held)) {
        sequence.shrinkTo(held);
        return sequence;
      }
      sequence.close();
      return fresh(serving);
    } catch (Throwable t) {
      sequence.close();
      throw t;
    }
  }

  /** Nobody who holds less of it than others have parked goes on with what he holds. */
  private static Optional<IdleSequence> unlessLess(
      IdleSequence idle, Optional<LoadedKv> parked, int[] tokens) {
    boolean less =
        parked.isPresent()
            && CacheReusePolicy.prefersParked(
                idle.sequence().common(tokens), KvReader.common(parked.get().tokens(), tokens));
    if (less) {
      idle.close(); // first: it may be its blocks that are missing
    }
    return less ? Optional.empty() : Optional.of(idle);
  }

  private Optional<IdleSequence> restore(Request request, LoadedKv cache, ServingModel serving) {
    return request.agent().flatMap(agent -> restore(agent, cache, serving, true));
  }

  IdleSequence fresh(ServingModel serving) {
    return IdleSequence.of(pool.lease(), false, serving.model()::open).orElseThrow();
  }

  /**
   * A sequence from what was read; empty where there is no room, which costs a prefill, no more.
   *
   * @param evicting whether idle agents may have to leave for it
   */
  private Optional<IdleSequence> restore(
      AgentId agent, LoadedKv cache, ServingModel serving, boolean evicting) {
    try {
      return cache instanceof LoadedKv.InPlace there
          ? IdleSequence.of(there.lease(), there.imported(), there::occupy)
          : copy(agent, ((LoadedKv.Copy) cache).snapshot(), serving, evicting);
    } catch (Throwable t) {
      LOG.warn("Cannot restore {}; its prompt will be computed again", agent, t);
      return Optional.empty();
    }
  }

  private Optional<IdleSequence> copy(
      AgentId agent, KvSnapshot snapshot, ServingModel serving, boolean evicting) {
    BlockPool.Lease lease = pool.lease();
    Supplier<Sequence> source = () -> serving.model().restore(snapshot);
    int tokens = snapshot.tokens().length;
    boolean room = false;
    try {
      room =
          (evicting ? makeRoom(lease, tokens) : lease.growTo(tokens))
              && lease.partAt(snapshot.seams());
    } finally {
      if (!room) {
        lease.close();
        LOG.info("No room to restore {} with {} tokens", agent, tokens);
      }
    }
    return room ? IdleSequence.of(lease, snapshot.imported(), source) : Optional.empty();
  }

  /** Gives somebody who is brought back a sequence; false if it can't. */
  boolean admit(KvLoader.PrefetchLoad load) {
    AgentId agent = load.agent();
    if (load.cache().isEmpty() || idleSequences.peek(agent).isPresent()) {
      return false;
    }
    boolean evicting = idleSequences.isPinned(agent);
    Optional<IdleSequence> back = restore(agent, load.cache().get(), load.serving(), evicting);
    if (back.isEmpty()) {
      return false;
    }
    IdleSequence sequence = back.get();
    try {
      sequence.isParkedAs(load.parked());
      idleSequences.put(agent, sequence);
    } catch (Throwable t) {
      sequence.close();
      throw t;
    }
    return true;
  }

  /**
   * Books blocks for so many tokens; idle agents are parked to make room, coldest first. One who
   * cannot be parked stays, and the next has to leave. Where none can be, they leave as they are:
   * their next prompts are computed again, from what they parked before.
   */
  boolean makeRoom(BlockPool.Lease lease, int tokens) {
    if (!couldHold(tokens)) {
      return false; // however many agents were parked for it
    }
    idleSequences.closeForgotten();
    Set<AgentId> stay = new HashSet<>();
    while (!lease.growTo(tokens)) {
      Optional<AgentId> next = idleSequences.coldest(stay);
      boolean anyway = next.isEmpty() || parking.pause() > 0;
      Optional<AgentId> leaving = anyway ? idleSequences.coldest(Set.of()) : next;
      if (leaving.isEmpty()) {
        return false;
      }
      if (anyway || park(leaving.get())) {
        idleSequences.take(leaving.get()).ifPresent(IdleSequence::close);
      } else {
        stay.add(leaving.get());
      }
    }
    return true;
  }

  /**
   * Takes back what caches that are only being read have booked; those they are for compute their
   * prompts, or read them as copies.
   *
   * @return false if none is
   */
  boolean dropLoading() {
    return kvReader.dropAll();
  }

  /** Whether so many tokens would fit if nobody else were there. */
  boolean couldHold(int tokens) {
    return Math.ceilDiv(tokens, BlockPool.BLOCK_TOKENS) <= pool.totalBlocks();
  }

  private boolean park(AgentId agent) {
    try {
      behind.park(agent, idleSequences.peek(agent).orElseThrow());
      return true;
    } catch (Throwable t) {
      LOG.debug("Cannot park {}, so it stays in memory while others can leave", agent, t);
      return false;
    }
  }
}
