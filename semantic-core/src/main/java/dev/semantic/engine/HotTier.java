package dev.semantic.engine;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.semantic.cache.AgentId;
import dev.semantic.cache.BlockPool;
import dev.semantic.spi.Sequence;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Sequences of agents that are not generating just now, kept in the model's memory for their next
 * request. Which one has to leave first is Caffeine's to say. Used by the engine's scheduler, and
 * by a swap while the scheduler stands still.
 */
final class HotTier {
  /** An agent's sequence and the blocks that are booked for it. */
  record Hot(Sequence sequence, BlockPool.Lease lease) {
    void close() {
      try {
        sequence.close();
      } finally {
        lease.close();
      }
    }
  }

  /** The bound is the pool's, not the cache's: nothing may leave without being parked. */
  private final Cache<AgentId, Hot> idle =
      Caffeine.newBuilder()
          .executor(Runnable::run)
          .maximumWeight(Long.MAX_VALUE - 1)
          .weigher((AgentId agent, Hot hot) -> hot.lease().blocks())
          .build();

  /** Takes an agent's sequence out for use; whoever takes it puts it back or closes it. */
  Optional<Hot> take(AgentId agent) {
    return Optional.ofNullable(idle.asMap().remove(agent));
  }

  void put(AgentId agent, Hot hot) {
    Hot former = idle.asMap().put(agent, hot);
    if (former != null) {
      former.close();
    }
  }

  /** The agent whose sequence would be missed least. */
  Optional<AgentId> coldest() {
    idle.cleanUp();
    return idle.policy().eviction().orElseThrow().coldest(1).keySet().stream().findFirst();
  }

  /** All of them, the least missed last. */
  Map<AgentId, Hot> all() {
    idle.cleanUp();
    return new LinkedHashMap<>(idle.policy().eviction().orElseThrow().hottest(Integer.MAX_VALUE));
  }

  Optional<Hot> peek(AgentId agent) {
    return Optional.ofNullable(idle.asMap().get(agent));
  }

  int size() {
    return idle.asMap().size();
  }

  /** Closes all; one that fails to close keeps no other from it, and is told of at the end. */
  void closeAll() {
    RuntimeException failure = null;
    for (AgentId agent : Map.copyOf(idle.asMap()).keySet()) {
      try {
        take(agent).ifPresent(Hot::close);
      } catch (Throwable t) {
        if (failure == null) {
          failure = new IllegalStateException("The sequence of " + agent + " was not closed", t);
        } else {
          failure.addSuppressed(t);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
