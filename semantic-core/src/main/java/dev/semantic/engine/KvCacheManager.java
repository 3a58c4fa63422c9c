package dev.semantic.engine;

import dev.semantic.engine.Arrivals.Arrival;
import dev.semantic.engine.IdleSequences.IdleSequence;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.RequestException;
import dev.semantic.kv.AgentId;
import dev.semantic.kv.BlockPool;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.log.Log;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.Sequence;
import dev.semantic.store.ParkedCache;
import dev.semantic.timeline.Timeline;
import java.util.HashSet;
import java.util.Optional;
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
  private final KvLoader kvLoader;
  private final Parking parking;
  private final BackgroundParking behind;
  private final Timeline timeline;
  private long begun; // by the scheduler's thread: how many requests

  KvCacheManager(
      IdleSequences idleSequences,
      BlockPool pool,
      KvLoader kvLoader,
      Parking parking,
      BackgroundParking behind,
      Timeline timeline) {
    this.idleSequences = idleSequences;
    this.pool = pool;
    this.kvLoader = kvLoader;
    this.parking = parking;
    this.behind = behind;
    this.timeline = timeline;
  }

  /**
   * Looks at a request that is to be begun.
   *
   * @throws RequestException if this model can't answer it
   */
  Arrival arrive(Request request, ServingModel serving) {
    RunningRequest progress = request.progress();
    int[] tokens = progress == null ? checked(request, serving) : progress.said();
    return new Arrival(request, tokens, serving);
  }

  private static int[] checked(Request queued, ServingModel serving) {
    GenerationRequest request = queued.request();
    ModelSpec spec = serving.model().spec();
    if (request.model().isPresent() && !request.model().get().equals(spec.id())) {
      throw new RequestException(
          RequestException.Kind.WRONG_MODEL,
          "The request is meant for %s, but %s serves".formatted(request.model().get(), spec.id()));
    }
    int[] prompt = queued.tokens();
    if (prompt.length == 0) {
      throw new RequestException(
          RequestException.Kind.INVALID,
          "The prompt has no tokens; " + spec.id() + " needs at least one");
    }
    if (prompt.length >= spec.contextLength()) {
      throw new RequestException(
          RequestException.Kind.TOO_LONG,
          "The prompt has %d tokens; %s holds %d, and one of them must be left for the answer"
              .formatted(prompt.length, spec.id(), spec.contextLength()));
    }
    for (int token : prompt) {
      if (token < 0 || token >= spec.vocabularySize()) {
        throw new RequestException(
            RequestException.Kind.INVALID,
            "Token %d is not in the vocabulary of %s, 0 to %d"
                .formatted(token, spec.id(), spec.vocabularySize() - 1));
      }
    }
    return prompt;
  }

  /** Whether there may be more of its cache where agents are parked than in memory. */
  boolean mustRead(Arrival arrival) {
    return arrival
        .agent()
        .filter(
            agent -> idleSequences.peek(agent).map(idle -> holdsLittle(idle, arrival)).orElse(true))
        .isPresent();
  }

  /** Less than a block of what is asked, of which others may have parked more. */
  private static boolean holdsLittle(IdleSequence idle, Arrival arrival) {
    int[] tokens = arrival.tokens();
    try {
      return tokens.length > BlockPool.BLOCK_TOKENS
          && idle.sequence().common(tokens) < BlockPool.BLOCK_TOKENS;
    } catch (Throwable t) {
      LOG.warn("A sequence cannot tell what it holds", t);
      return false;
    }
  }

  /**
   * What is parked of its beginning: the agent's own cache, or else what others have in common with
   * it. By any thread.
   */
  Optional<LoadedKv> read(Arrival arrival) {
    Optional<AgentId> away = arrival.agent().filter(agent -> idleSequences.peek(agent).isEmpty());
    return kvLoader.longest(away, arrival.tokens(), arrival.serving());
  }

  /** Begins it, with what was parked, if anything. */
  RunningRequest begin(Arrival arrival, Optional<LoadedKv> parked) {
    ServingModel serving = arrival.serving();
    IdleSequence sequence = continued(arrival, parked);
    try {
      arrival.agent().ifPresent(agent -> idleSequences.markInUse(agent, sequence));
      int cached = sequence.sequence().length();
      Request request = arrival.request();
      RunningRequest progress = request.progress();
      if (progress != null) {
        progress.resume(serving, sequence, cached);
        return progress;
      }
      RunningRequest first =
          new RunningRequest(
              request, begun++, sequence, serving, arrival.tokens(), cached, timeline);
      request.begun(first);
      return first;
    } catch (Throwable t) {
      sequence.close();
      throw t;
    }
  }

  /** A sequence that holds as many of the first tokens as can be had, but never all of them. */
  private IdleSequence continued(Arrival arrival, Optional<LoadedKv> parked) {
    ServingModel serving = arrival.serving();
    int[] tokens = arrival.tokens();
    IdleSequence sequence;
    Optional<LoadedKv> known =
        parked.filter(cache -> !arrival.request().generation().isForgotten());
    try {
      sequence =
          arrival
              .agent()
              .flatMap(idleSequences::take)
              .flatMap(idle -> unlessLess(idle, known, tokens))
              .or(() -> known.flatMap(cache -> restore(arrival, cache)))
              .orElseGet(() -> fresh(serving));
    } finally {
      parked.ifPresent(LoadedKv::drop); // which does nothing to what was begun with
    }
    sequence.change();
    try {
      int held = Math.min(sequence.sequence().common(tokens), tokens.length - 1);
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
            && idle.sequence().common(tokens) < KvLoader.common(parked.get().tokens(), tokens);
    if (less) {
      idle.close(); // first: it may be its blocks that are missing
    }
    return less ? Optional.empty() : Optional.of(idle);
  }

  private Optional<IdleSequence> restore(Arrival arrival, LoadedKv cache) {
    return arrival.agent().flatMap(agent -> restore(agent, cache, arrival.serving(), true));
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
      return switch (cache) {
        case LoadedKv.InPlace there ->
            IdleSequence.of(there.lease(), there.imported(), there::occupy);
        case LoadedKv.Copy(KvSnapshot snapshot) -> copy(agent, snapshot, serving, evicting);
      };
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
  boolean admit(AgentPrefetch.Prefetched prefetched) {
    AgentId agent = prefetched.agent();
    if (idleSequences.peek(agent).isPresent()) {
      return false;
    }
    Optional<IdleSequence> back =
        restore(agent, prefetched.cache(), prefetched.serving(), idleSequences.isPinned(agent));
    if (back.isEmpty()) {
      return false;
    }
    IdleSequence sequence = back.get();
    try {
      sequence.isParkedAs(prefetched.parked());
      idleSequences.put(agent, sequence);
    } catch (Throwable t) {
      sequence.close();
      throw t;
    }
    return true;
  }

  /** Whether there is room for a parked cache without anybody having to leave. */
  boolean hasRoom(ParkedCache parked) {
    return Math.ceilDiv(parked.tokens(), BlockPool.BLOCK_TOKENS) <= pool.availableBlocks();
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
    return kvLoader.dropAll();
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
