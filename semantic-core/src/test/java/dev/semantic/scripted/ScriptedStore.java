package dev.semantic.scripted;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.model.ModelTag;
import dev.semantic.store.CacheStore;
import dev.semantic.store.CacheUsage;
import dev.semantic.store.MemoryCacheStore;
import dev.semantic.store.ParkedCache;
import dev.semantic.store.ParkingStatus;
import dev.semantic.store.PinnedAgents;
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
    script.visit(PortCall.STORE_REMOVE);
    inner.remove(agent, tag);
  }

  @Override
  public int forget(AgentId agent) {
    script.visit(PortCall.STORE_FORGET);
    return inner.forget(agent);
  }

  @Override
  public void updateModelTag(ModelTag tag) {
    script.visit(PortCall.STORE_ARRIVE);
    inner.updateModelTag(tag);
  }

  @Override
  public int filterCompatible() {
    script.visit(PortCall.STORE_LET_GO);
    return inner.filterCompatible();
  }

  @Override
  public ParkingStatus status() {
    script.visit(PortCall.STORE_STATUS);
    return inner.status();
  }

  @Override
  public Optional<CacheUsage> usage() {
    script.visit(PortCall.STORE_USAGE);
    return inner.usage();
  }

  @Override
  public void addUser(PinnedAgents pinned) {
    script.visit(PortCall.STORE_ADD_USER);
    inner.addUser(pinned);
  }

  @Override
  public void removeUser(PinnedAgents pinned) {
    script.visit(PortCall.STORE_REMOVE_USER);
    inner.removeUser(pinned);
  }
}
