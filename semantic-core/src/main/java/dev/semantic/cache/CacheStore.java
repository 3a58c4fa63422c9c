package dev.semantic.cache;

import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelTag;
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
  default Optional<KvOutline> read(AgentId agent, ModelTag tag, KvMemory memory) {
    return load(agent, tag).flatMap(snapshot -> KvRuns.copy(snapshot, memory));
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
   * The longest beginning of {@code tokens} that is parked under exactly this tag, whichever agent
   * parked it; in whole blocks of {@link BlockPool#BLOCK_TOKENS}. For agents that begin with the
   * same system prompt.
   *
   * @return empty if there is none that could be used exactly: layers of a sliding window are not
   *     kept for others
   */
  default Optional<KvSnapshot> prefix(ModelTag tag, KvPrecision precision, int[] tokens) {
    return Optional.empty();
  }

  /** What is parked under a tag, most recent first. Reads headers only. */
  List<ParkedCache> parked(ModelTag tag);

  /**
   * Forgets what the agent parked under this tag, if anything.
   *
   * @throws CacheException if it is there and could not be removed
   */
  void remove(AgentId agent, ModelTag tag);
}
