package dev.semantic.store;

import dev.semantic.kv.AgentId;
import java.util.Set;

/** Somebody who has agents in memory whose parked caches must stay; an engine, usually. */
@FunctionalInterface
public interface PinnedAgents {
  /** Those agents at this moment. Asked by any thread; never waits. */
  Set<AgentId> agents();
}
