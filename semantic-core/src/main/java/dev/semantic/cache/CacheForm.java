package dev.semantic.cache;

import java.time.Clock;

/**
 * What a store writes its files like; it reads files of any other form.
 *
 * @param checksumBytes a checksum for every so many bytes of a section
 * @param blockTokens tokens that a shared block holds
 */
record CacheForm(Clock clock, int checksumBytes, int blockTokens) {
  static CacheForm usual() {
    return new CacheForm(Clock.systemUTC(), 1 << 20, BlockPool.BLOCK_TOKENS);
  }
}
