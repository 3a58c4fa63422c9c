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
final class KvReader {
  private final CacheStore store;
  private final BlockPool pool;
  private final Set<LoadedKv> unclaimed = ConcurrentHashMap.newKeySet(); // nobody's sequence yet
  private volatile @Nullable ServingModel present;

  KvReader(CacheStore store, BlockPool pool) {
    this.store = store;
    this.pool = pool;
  }

  /** From now on caches may be read into this model's memory. */
  void open(ServingModel serving) {
    present = serving;
  }

  /** The model leaves: what is being read into its memory is nobody's, and given back at once. */
  void close() {
    present = null;
    dropAll();
  }

  /**
   * Gives back what is being read, whose readers find that it was for nothing; false if nothing is.
   */
  boolean dropAll() {
    boolean any = !unclaimed.isEmpty();
    unclaimed.forEach(LoadedKv::drop);
    return any;
  }

  /** An agent's own cache. */
  Optional<LoadedKv> own(AgentId agent, ServingModel serving) {
    ModelTag tag = serving.model().spec().tag();
    Optional<LoadedKv.InPlace> place =
        serving
            .model()
            .allocateKv()
            .map(allocation -> new LoadedKv.InPlace(allocation, pool.lease(), unclaimed::remove));
    if (place.isPresent()) {
      LoadedKv.InPlace memory = place.get();
      if (read(agent, tag, memory, serving)) {
        return Optional.of(memory);
      }
      if (!memory.refused()) {
        return Optional.empty();
      }
    }
    return store.load(agent, tag).map(LoadedKv.Copy::new);
  }

  @SuppressWarnings("ReferenceEquality") // another beginning of the same model is another one
  private boolean read(AgentId agent, ModelTag tag, LoadedKv.InPlace memory, ServingModel serving) {
    boolean read = false;
    unclaimed.add(memory);
    try {
      read = present == serving && store.read(agent, tag, memory).isPresent();
      return read;
    } finally {
      if (!read) {
        memory.drop();
      }
    }
  }

  /** What there is of a prompt's beginning. */
  Optional<LoadedKv> lookup(
      CacheReusePolicy.Lookup what, AgentId agent, int[] prompt, ServingModel serving) {
    Optional<LoadedKv> own =
        what == CacheReusePolicy.Lookup.OWN_CACHE ? own(agent, serving) : Optional.empty();
    int common = own.map(cache -> common(cache.tokens(), prompt)).orElse(0);
    int shared = CacheReusePolicy.sharedPrefix(common, prompt.length);
    if (shared == 0) {
      return own;
    }
    ModelSpec spec = serving.model().spec();
    Optional<LoadedKv> others = Optional.empty();
    try {
      others =
          store
              .prefix(spec.tag(), spec.kvPrecision(), Arrays.copyOf(prompt, shared))
              .map(LoadedKv.Copy::new);
      return others.or(() -> own);
    } finally {
      if (others.isPresent()) {
        own.ifPresent(LoadedKv::drop);
      }
    }
  }

  static int common(int[] held, int[] prompt) {
    int mismatch = Arrays.mismatch(held, prompt);
    return mismatch < 0 ? held.length : mismatch;
  }
}
