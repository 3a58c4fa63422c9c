package dev.semantic.engine;

import static dev.semantic.kv.BlockPool.BLOCK_TOKENS;

import java.util.OptionalInt;

/**
 * How much of a prompt is taken from which cache: facts in, decision out. Every length is in tokens
 * from the beginning. The last token of a prompt is always computed: its logits are what the answer
 * begins with.
 */
final class CacheReusePolicy {
  /** What is looked for where agents are parked, before a request is begun. */
  enum Lookup {
    NONE,
    /** What others have parked of this beginning. */
    SHARED_PREFIX,
    /** The agent's own cache, and if that holds little of it, what others have parked. */
    OWN_CACHE
  }

  private CacheReusePolicy() {}

  /**
   * An agent has its own cache in one place at a time. What is in memory and holds less than a
   * block of a longer prompt is hardly worth more than nothing.
   *
   * @param inMemory what the agent's sequence in memory has in common with the prompt, if it has
   *     one
   */
  static Lookup lookup(OptionalInt inMemory, int prompt) {
    if (inMemory.isEmpty()) {
      return Lookup.OWN_CACHE;
    }
    return prompt > BLOCK_TOKENS && inMemory.getAsInt() < BLOCK_TOKENS
        ? Lookup.SHARED_PREFIX
        : Lookup.NONE;
  }

  /**
   * What is looked for among others' parked caches; 0 for nothing.
   *
   * @param own what the agent's own cache has in common with the prompt
   */
  static int sharedPrefix(int own, int prompt) {
    return own >= BLOCK_TOKENS ? 0 : wholeBlocks(prompt - 1);
  }

  /** Whether what was parked is gone on with, and not what the agent has in memory. */
  static boolean prefersParked(int inMemory, int parked) {
    return parked > inMemory;
  }

  /** What a sequence keeps of what it has in common with a prompt that goes on with it. */
  static int kept(int common, int prompt) {
    return Math.min(common, prompt - 1);
  }

  /** What a prompt can begin with that another sequence holds: whole blocks, which both count. */
  static int shareable(int common, int prompt) {
    return wholeBlocks(Math.min(common, prompt - 1));
  }

  /**
   * Whether a prompt of which {@code computed} are there goes on with others' {@code shareable}.
   *
   * @param imported whether they came from outside: those are nobody's but their agent's
   */
  static boolean forks(int shareable, int computed, boolean imported) {
    return !imported && shareable > computed;
  }

  /**
   * Whether it had better wait: somebody before it is just computing what it needs.
   *
   * @param othersComputed how much of that prompt is there
   */
  static boolean waits(int shareable, int computed, int othersComputed, boolean imported) {
    return forks(shareable, computed, imported) && shareable > othersComputed;
  }

  private static int wholeBlocks(int tokens) {
    return tokens - tokens % BLOCK_TOKENS;
  }
}
