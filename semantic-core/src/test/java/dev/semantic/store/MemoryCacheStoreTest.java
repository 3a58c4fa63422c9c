package dev.semantic.store;

import static dev.semantic.store.Snapshots.ALPHA;
import static dev.semantic.store.Snapshots.small;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.AgentId;
import dev.semantic.memory.ByteSize;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A store that a host can leave running: bounded, and it says what it forgot. */
class MemoryCacheStoreTest {
  private static AgentId agent(int i) {
    return new AgentId("agent " + i);
  }

  private static long sizeOfOne() {
    return new MemoryCacheStore(ByteSize.ofMiB(1)).park(agent(0), small(ALPHA, 1)).size().bytes();
  }

  @Test
  void whatWasUsedForLongestIsForgottenFirst() {
    MemoryCacheStore store = new MemoryCacheStore(new ByteSize(3 * sizeOfOne()));
    for (int i = 0; i < 100; i++) {
      store.park(agent(i), small(ALPHA, 1));
      assertTrue(store.load(agent(0), ALPHA).isPresent(), "it is read all the time");
      CacheUsage usage = store.usage().orElseThrow();
      assertTrue(usage.bytes().bytes() <= usage.limit().bytes(), usage.toString());
    }
    assertEquals(
        List.of(agent(99), agent(98), agent(0)),
        store.parked(ALPHA).stream().map(ParkedCache::agent).toList());
    assertEquals(97, store.usage().orElseThrow().forgotten());
  }

  @Test
  void whatIsLargerThanTheBoundIsNotKept() {
    MemoryCacheStore store = new MemoryCacheStore(new ByteSize(sizeOfOne() - 1));
    store.park(agent(1), small(ALPHA, 1));
    assertFalse(store.load(agent(1), ALPHA).isPresent());
    assertEquals(
        new CacheUsage(ByteSize.ZERO, new ByteSize(sizeOfOne() - 1), 1),
        store.usage().orElseThrow());
  }

  @Test
  void whatIsReplacedOrRemovedIsNotCounted() {
    MemoryCacheStore store = new MemoryCacheStore(ByteSize.ofMiB(1));
    store.park(agent(1), small(ALPHA, 1));
    store.park(agent(1), small(ALPHA, 2));
    assertEquals(sizeOfOne(), store.usage().orElseThrow().bytes().bytes());
    store.remove(agent(1), ALPHA);
    store.remove(agent(1), ALPHA);
    assertEquals(0, store.usage().orElseThrow().bytes().bytes());
    assertEquals(0, store.usage().orElseThrow().forgotten());
  }
}
