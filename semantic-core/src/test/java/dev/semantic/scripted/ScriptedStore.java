package dev.semantic.scripted;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.model.ModelTag;
import dev.semantic.store.CacheStore;
import dev.semantic.store.MemoryCacheStore;
import dev.semantic.store.ParkedCache;
import java.util.List;
import java.util.Optional;

/** A cache store that fails as it is told to. */
public final class ScriptedStore implements CacheStore {
  private final CacheStore inner;
  private final Script script;

  public ScriptedStore(Script script) {
    this(new MemoryCacheStore(), script);
  }

  public ScriptedStore(CacheStore inner, Script script) {
    this.inner = inner;
    this.script = script;
  }

  @Override
  public Optional<KvSnapshot> load(AgentId agent, ModelTag tag) {
    script.visit(PortCall.STORE_LOAD);
    return inner.load(agent, tag);
  }

  @Override
  public ParkedCache park(AgentId agent, KvSnapshot snapshot) {
    script.visit(PortCall.STORE_PARK);
    return inner.park(agent, snapshot);
  }

  @Override
  public List<ParkedCache> parked(ModelTag tag) {
    script.visit(PortCall.STORE_PARKED);
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
