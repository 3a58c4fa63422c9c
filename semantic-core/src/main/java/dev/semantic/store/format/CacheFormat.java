package dev.semantic.store.format;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.BlockPool;
import dev.semantic.kv.CacheHash;
import dev.semantic.kv.KvEncoding;
import dev.semantic.kv.PrefixHashChain;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelTag;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a store writes its files like, and which it reads.
 *
 * @param checksumBytes a checksum for every so many bytes of a section
 * @param blockTokens tokens that a shared block holds
 * @param encoding how numbers are written; files in any encoding are read
 * @param key what files are encrypted with, and must be; null for files that are not, and must not
 *     be
 * @param timeToLive what is older is neither read nor kept; null for no limit
 */
public record CacheFormat(
    Clock clock,
    int checksumBytes,
    int blockTokens,
    KvEncoding encoding,
    @Nullable FileKeys key,
    @Nullable Duration timeToLive) {

  /** Exact, open and for good. */
  public CacheFormat(Clock clock, int checksumBytes, int blockTokens) {
    this(clock, checksumBytes, blockTokens, KvEncoding.EXACT, null, null);
  }

  public static CacheFormat usual() {
    return new CacheFormat(Clock.systemUTC(), 1 << 20, BlockPool.BLOCK_TOKENS);
  }

  public CacheFormat with(KvEncoding value) {
    return new CacheFormat(clock, checksumBytes, blockTokens, value, key, timeToLive);
  }

  public CacheFormat with(FileKeys value) {
    return new CacheFormat(clock, checksumBytes, blockTokens, encoding, value, timeToLive);
  }

  public CacheFormat with(Duration value) {
    return new CacheFormat(clock, checksumBytes, blockTokens, encoding, key, value);
  }

  /** Hashes what names files. */
  public CacheHash names() {
    return key == null ? CacheHash.SHA_256 : key.names();
  }

  /** The file of an agent's cache. */
  public Path file(Path root, AgentId agent, ModelTag tag) {
    return key == null
        ? CacheFileNames.file(root, agent, tag)
        : CacheFileNames.hashed(root, agent, tag, key.names());
  }

  /** The chain hashes of whole blocks; see {@link PrefixHashChain}. */
  public List<String> chain(ModelTag tag, KvPrecision precision, KvEncoding written, int[] tokens) {
    return PrefixHashChain.of(names(), tag, precision, written, tokens, blockTokens);
  }

  /**
   * Opens an agent's file.
   *
   * @throws CacheFileException if it has expired, or as {@link CacheFileReader#open}
   */
  public CacheFileReader open(FileChannel channel) throws IOException {
    return CacheFileReader.open(channel, key, this::checkAge);
  }

  private void checkAge(Instant parked) throws CacheFileException {
    if (isOld(parked)) {
      throw new CacheFileException(
          CacheFileException.Kind.EXPIRED,
          "it was parked at %s, and caches live for %s".formatted(parked, timeToLive));
    }
  }

  /** Whether what was parked then has expired. */
  public boolean isOld(Instant parked) {
    return timeToLive != null
        && Duration.between(parked, clock.instant()).compareTo(timeToLive) > 0;
  }
}
