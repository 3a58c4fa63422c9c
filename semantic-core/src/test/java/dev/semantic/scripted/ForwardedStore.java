package dev.semantic.scripted;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.model.ModelTag;
import dev.semantic.store.CacheStore;
import dev.semantic.store.MemoryCacheStore;
import dev.semantic.store.ParkedCache;
import java.util.List;
import java.util.Optional;

/** A store in memory, for a test to do one thing otherwise. */
public class ForwardedStore implements CacheStore {
  /** Where everything is. */
  public final CacheStore inner = new MemoryCacheStore();

  @Override
  public Optional<KvSnapshot> load(AgentId agent, ModelTag tag) {
    return inner.load(agent, tag);
  }

  @Override
  public ParkedCache park(AgentId agent, KvSnapshot snapshot) {
    return inner.park(agent, snapshot);
  }

  @Override
  public List<ParkedCache> parked(ModelTag tag) {
    return inner.parked(tag);
  }

  @Override
  public void remove(AgentId agent, ModelTag tag) {
    inner.remove(agent, tag);
  }

  @Override
  public int forget(AgentId agent) {
    return inner.forget(agent);
  }
}
