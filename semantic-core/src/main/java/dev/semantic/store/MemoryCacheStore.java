package dev.semantic.store;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelTag;
import java.time.Clock;
import java.time.Instant;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A cache store in memory, for hosts whose agents need not outlive the process. Keeps the snapshots
 * themselves, not copies, within a bound: beyond it those are forgotten that were not parked or
 * read for longest, which costs their agents a prefill.
 */
public final class MemoryCacheStore implements CacheStore {
  private static final int SHARE_OF_HEAP = 4;

  /** What an entry and a layer of it occupy beside keys, values and tokens, roughly. */
  private static final int ENTRY_BYTES = 512;

  private static final int LAYER_BYTES = 256;

  private final Map<Key, Held> held = new LinkedHashMap<>(16, 0.75f, true); // under this
  private final Clock clock;
  private final long limit;
  private long bytes;
  private long forgotten;

  /** Within a quarter of the heap. */
  public MemoryCacheStore() {
    this(new ByteSize(Runtime.getRuntime().maxMemory() / SHARE_OF_HEAP));
  }

  /**
   * Within a bound.
   *
   * @param limit what all caches together may occupy
   */
  public MemoryCacheStore(ByteSize limit) {
    this(limit, Clock.systemUTC());
  }

  MemoryCacheStore(ByteSize limit, Clock clock) {
    this.limit = limit.bytes();
    this.clock = clock;
  }

  @Override
  public synchronized Optional<KvSnapshot> load(AgentId agent, ModelTag tag) {
    return Optional.ofNullable(held.get(new Key(agent, tag))).map(Held::snapshot);
  }

  @Override
  public synchronized ParkedCache park(AgentId agent, KvSnapshot snapshot) {
    Key key = new Key(agent, snapshot.tag());
    Held entry = new Held(snapshot, clock.instant());
    drop(held.put(key, entry));
    bytes += entry.bytes();
    forgetBeyondLimit();
    return entry.describe(key);
  }

  private void forgetBeyondLimit() {
    Iterator<Held> leastUsed = held.values().iterator();
    while (bytes > limit && leastUsed.hasNext()) {
      bytes -= leastUsed.next().bytes();
      leastUsed.remove();
      forgotten++;
    }
  }

  private void drop(@Nullable Held former) {
    bytes -= former == null ? 0 : former.bytes();
  }

  @Override
  public synchronized List<ParkedCache> parked(ModelTag tag) {
    return held.entrySet().stream()
        .filter(entry -> entry.getKey().tag().equals(tag))
        .map(entry -> entry.getValue().describe(entry.getKey()))
        .sorted(Comparator.comparing(ParkedCache::when).reversed())
        .toList();
  }

  @Override
  public synchronized Optional<ParkedCache> parked(AgentId agent, ModelTag tag) {
    Key key = new Key(agent, tag);
    return held.containsKey(key)
        ? Optional.ofNullable(held.get(key)).map(entry -> entry.describe(key))
        : Optional.empty();
  }

  @Override
  public synchronized void remove(AgentId agent, ModelTag tag) {
    drop(held.remove(new Key(agent, tag)));
  }

  @Override
  public int forget(AgentId agent) {
    return removeAll(key -> key.agent().equals(agent));
  }

  @Override
  public int invalidateAll() {
    return removeAll(key -> true);
  }

  private synchronized int removeAll(Predicate<Key> which) {
    List<Key> those = held.keySet().stream().filter(which).toList();
    those.forEach(key -> drop(held.remove(key)));
    return those.size();
  }

  @Override
  public synchronized Optional<CacheUsage> usage() {
    return Optional.of(new CacheUsage(new ByteSize(bytes), new ByteSize(limit), forgotten));
  }

  private record Key(AgentId agent, ModelTag tag) {}

  private record Held(KvSnapshot snapshot, Instant when) {
    long bytes() {
      return snapshot.bytes()
          + (long) Integer.BYTES * snapshot.tokens().length
          + ENTRY_BYTES
          + (long) LAYER_BYTES * snapshot.layers().size();
    }

    ParkedCache describe(Key key) {
      return new ParkedCache(
          key.agent(), key.tag(), snapshot.tokens().length, new ByteSize(bytes()), when);
    }
  }
}
