package dev.semantic.store;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.AgentSnapshot;
import dev.semantic.kv.BlockPool;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.kv.KvSnapshotHeader;
import dev.semantic.kv.KvTarget;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelTag;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Where agents' caches outlive the model that made them: one cache per agent and model tag. Safe
 * for use by several threads.
 */
public interface CacheStore {
  /**
   * The cache that {@code agent} parked under exactly this tag. All of it has been verified when
   * this returns.
   *
   * @return empty if there is none, or none that can be trusted; why is in the log then
   */
  Optional<KvSnapshot> load(AgentId agent, ModelTag tag);

  /**
   * The same, read to where {@code memory} says.
   *
   * @return what lies there now, verified; empty if there is no cache, or none that can be trusted,
   *     or {@code memory} does not take it
   */
  default Optional<KvSnapshotHeader> read(AgentId agent, ModelTag tag, KvTarget memory) {
    return load(agent, tag).flatMap(snapshot -> snapshot.copyTo(memory));
  }

  /**
   * Keeps a cache under the tag that the snapshot itself carries, in place of what the agent had
   * under that tag. Durable when this returns.
   *
   * @throws CacheException if it could not be kept (a full disk, say); what was parked before is
   *     still there, whole
   */
  ParkedCache park(AgentId agent, KvSnapshot snapshot);

  /**
   * Parks several, each as {@link #park} does; a store may do that in much less time than one after
   * the other. Throws for none of them: one that fails keeps no other from being parked.
   *
   * @return what became of each, in the order of {@code all}
   */
  default List<ParkingResult> parkAll(List<AgentSnapshot> all) {
    List<ParkingResult> results = new ArrayList<>();
    for (AgentSnapshot each : all) {
      try {
        results.add(new ParkingResult.Parked(park(each.agent(), each.snapshot())));
      } catch (Throwable t) { // which is told to whoever asked
        results.add(new ParkingResult.Failed(each.agent(), t));
      }
    }
    return results;
  }

  /**
   * The longest beginning of {@code tokens} that is parked under exactly this tag, whichever agent
   * parked it; in whole blocks of {@link BlockPool#BLOCK_TOKENS}. For agents that begin with the
   * same system prompt. Never of one that is {@link KvSnapshot#imported}.
   *
   * @return empty if there is none that could be used exactly: layers of a sliding window are not
   *     kept for others
   */
  default Optional<KvSnapshot> prefix(ModelTag tag, KvPrecision precision, int[] tokens) {
    return Optional.empty();
  }

  /**
   * What is parked under a tag and could be loaded now, most recent first. Reads headers only. An
   * agent of whom something else is told here than {@link #park} told, or nothing, is parked again
   * before its model leaves.
   */
  List<ParkedCache> parked(ModelTag tag);

  /** The same of one agent. */
  default Optional<ParkedCache> parked(AgentId agent, ModelTag tag) {
    return parked(tag).stream().filter(cache -> cache.agent().equals(agent)).findFirst();
  }

  /**
   * Forgets what the agent parked under this tag, if anything, wherever it waits.
   *
   * @throws CacheException if it is there and could not be removed
   */
  void remove(AgentId agent, ModelTag tag);

  /**
   * Forgets all that the agent parked, under any tag and wherever it waits. What it has in common
   * with others stays theirs.
   *
   * @return how many caches that were
   * @throws CacheException if one is there and could not be removed; others may be gone
   * @throws UnsupportedOperationException if this store cannot tell what an agent has parked
   */
  default int forget(AgentId agent) {
    throw new UnsupportedOperationException(
        "%s cannot forget %s: it has to implement forget(AgentId)".formatted(getClass(), agent));
  }

  /**
   * Tells which model is the present one from now on. Caches that were put aside until it returns
   * are ready to be loaded when this returns. Does not throw for caches that cannot be; they count
   * as absent.
   */
  default void updateModelTag(ModelTag tag) {}

  /**
   * Lets go of caches that are not the present model's, as the store's policy has it: they stay,
   * wait elsewhere for their model, or are removed. For when the present model serves for good: a
   * swap that fails must find the old model's caches.
   *
   * @return how many caches are not where they were
   */
  default int filterCompatible() {
    return 0;
  }

  /**
   * Makes all that is parked now absent for every model, the present one included. What the policy
   * does not have removed waits elsewhere for its model to be loaded anew. Agents in memory are not
   * touched.
   *
   * @return how many caches are not where they were
   */
  default int invalidateAll() {
    throw new UnsupportedOperationException(getClass() + " cannot invalidate what is parked");
  }

  /**
   * Whether caches can be parked at this moment. Asked on a thread of its own; while that does not
   * come back, what it said last holds.
   */
  default ParkingStatus status() {
    return new ParkingStatus.Parking();
  }

  /**
   * How full it is; empty for one that forgets nothing, or cannot tell. Asked as {@link #status}
   * is.
   */
  default Optional<CacheUsage> usage() {
    return Optional.empty();
  }

  /** Somebody whose agents' caches no limit may remove, until {@link #removeUser}. */
  default void addUser(PinnedAgents pinned) {}

  /** The end of {@link #addUser}. */
  default void removeUser(PinnedAgents pinned) {}
}
