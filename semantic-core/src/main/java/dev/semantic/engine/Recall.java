package dev.semantic.engine;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.BlockPool;
import dev.semantic.model.ModelSpec;
import dev.semantic.model.ModelTag;
import dev.semantic.store.CacheStore;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads what agents have parked, straight into the model's memory where both sides can. Any thread.
 */
final class Recall {
  private final CacheStore store;
  private final BlockPool pool;
  private final Set<Recalled> under = ConcurrentHashMap.newKeySet(); // by somebody, not begun with
  private volatile @Nullable Serving present;

  Recall(CacheStore store, BlockPool pool) {
    this.store = store;
    this.pool = pool;
  }

  /** From now on caches may be read into this model's memory. */
  void open(Serving serving) {
    present = serving;
  }

  /** The model leaves: what is being read into its memory is nobody's, and given back at once. */
  void close() {
    present = null;
    under.forEach(Recalled::drop);
  }

  /** An agent's own cache. */
  Optional<Recalled> own(AgentId agent, Serving serving) {
    ModelTag tag = serving.model().spec().tag();
    Optional<Recalled.InPlace> place =
        serving
            .model()
            .vacancy()
            .map(vacancy -> new Recalled.InPlace(vacancy, pool.lease(), under::remove));
    if (place.isPresent()) {
      Recalled.InPlace memory = place.get();
      if (read(agent, tag, memory, serving)) {
        return Optional.of(memory);
      }
      if (!memory.refused()) {
        return Optional.empty();
      }
    }
    return store.load(agent, tag).map(Recalled.Copy::new);
  }

  @SuppressWarnings("ReferenceEquality") // another beginning of the same model is another one
  private boolean read(AgentId agent, ModelTag tag, Recalled.InPlace memory, Serving serving) {
    boolean read = false;
    under.add(memory);
    try {
      read = present == serving && store.read(agent, tag, memory).isPresent();
      return read;
    } finally {
      if (!read) {
        memory.drop();
      }
    }
  }

  /** The agent's own cache, or else what others have in common with these tokens, if more. */
  Optional<Recalled> longest(Optional<AgentId> agent, int[] tokens, Serving serving) {
    ModelSpec spec = serving.model().spec();
    Optional<Recalled> own = agent.flatMap(id -> own(id, serving));
    int blocks = (tokens.length - 1) / BlockPool.BLOCK_TOKENS;
    boolean enough =
        own.filter(cache -> common(cache.tokens(), tokens) >= BlockPool.BLOCK_TOKENS).isPresent();
    if (enough || blocks == 0) {
      return own;
    }
    int[] beginning = Arrays.copyOf(tokens, blocks * BlockPool.BLOCK_TOKENS);
    Optional<Recalled> others = Optional.empty();
    try {
      others = store.prefix(spec.tag(), spec.kvPrecision(), beginning).map(Recalled.Copy::new);
      return others.or(() -> own);
    } finally {
      if (others.isPresent()) {
        own.ifPresent(Recalled::drop);
      }
    }
  }

  static int common(int[] held, int[] prompt) {
    int mismatch = Arrays.mismatch(held, prompt);
    return mismatch < 0 ? held.length : mismatch;
  }
}
