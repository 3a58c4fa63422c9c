package dev.semantic.engine;

import dev.semantic.kv.BlockPool;

/**
 * The beginnings of a text in whole blocks, each by a hash that covers all before it, so that how
 * far two texts agree is seen without reading them. By chance two different ones may seem alike:
 * whoever relies on it compares the tokens.
 */
record BlockHashes(long[] hashes) {
  private static final int TOKENS = BlockPool.BLOCK_TOKENS;
  private static final long FACTOR = 0x9E3779B97F4A7C15L; // odd, and its bits look like chance

  /** Of the first {@code length} tokens. */
  static BlockHashes of(int[] tokens, int length) {
    long[] hashes = new long[length / TOKENS];
    long hash = 0;
    for (int block = 0; block < hashes.length; block++) {
      for (int i = block * TOKENS; i < (block + 1) * TOKENS; i++) {
        hash = hash * FACTOR + tokens[i] + 1;
      }
      hash = mix(hash);
      hashes[block] = hash;
    }
    return new BlockHashes(hashes);
  }

  /** The finalizer of SplitMix64 (Steele, Lea and Flood 2014). */
  private static long mix(long value) {
    long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /** Tokens in the blocks that two texts have in common. */
  int common(BlockHashes other) {
    int most = Math.min(hashes.length, other.hashes.length);
    int count = 0;
    while (count < most && hashes[count] == other.hashes[count]) {
      count++;
    }
    return count * TOKENS;
  }
}
