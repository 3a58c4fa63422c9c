package dev.semantic.cache;

import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelTag;
import java.time.Clock;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A cache store in memory, for hosts whose agents need not outlive the process. Keeps the snapshots
 * themselves, not copies, and never evicts.
 */
public final class MemoryCacheStore implements CacheStore {
  private final Map<Key, Held> held = new ConcurrentHashMap<>();
  private final Clock clock;

  public MemoryCacheStore() {
    this(Clock.systemUTC());
  }

  MemoryCacheStore(Clock clock) {
    this.clock = clock;
  }

  @Override
  public Optional<KvSnapshot> load(AgentId agent, ModelTag tag) {
    return Optional.ofNullable(held.get(new Key(agent, tag))).map(Held::snapshot);
  }

  @Override
  public ParkedCache park(AgentId agent, KvSnapshot snapshot) {
    Key key = new Key(agent, snapshot.tag());
    Held entry = new Held(snapshot, clock.instant());
    held.put(key, entry);
    return entry.describe(key);
  }

  @Override
  public List<ParkedCache> parked(ModelTag tag) {
    return held.entrySet().stream()
        .filter(entry -> entry.getKey().tag().equals(tag))
        .map(entry -> entry.getValue().describe(entry.getKey()))
        .sorted(Comparator.comparing(ParkedCache::when).reversed())
        .toList();
  }

  @Override
  public void remove(AgentId agent, ModelTag tag) {
    held.remove(new Key(agent, tag));
  }

  @Override
  public int invalidateAll() {
    int gone = held.size();
    held.clear();
    return gone;
  }

  private record Key(AgentId agent, ModelTag tag) {}

  private record Held(KvSnapshot snapshot, Instant when) {
    ParkedCache describe(Key key) {
      ByteSize size = new ByteSize(snapshot.bytes() + 4L * snapshot.tokens().length);
      return new ParkedCache(key.agent(), key.tag(), snapshot.tokens().length, size, when);
    }
  }
}
