package dev.semantic.engine;

import dev.semantic.kv.AgentId;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Whose request was begun when, in turns: one who asks a thousand things keeps nobody waiting for
 * all of them. What belongs to no agent counts as one agent's.
 */
final class FairShare {
  /** Who has not been seen for so many agents counts as new. */
  private static final int REMEMBERED = 10_000;

  private final Map<Optional<AgentId>, Long> last = new LinkedHashMap<>();
  private long turn;

  /** The agent's last turn; less is longer ago, 0 is never. */
  long last(Optional<AgentId> agent) {
    return last.getOrDefault(agent, 0L);
  }

  void take(Optional<AgentId> agent) {
    last.remove(agent); // so that those of long ago come first
    last.put(agent, ++turn);
    if (last.size() > REMEMBERED) {
      last.remove(last.keySet().iterator().next());
    }
  }
}
