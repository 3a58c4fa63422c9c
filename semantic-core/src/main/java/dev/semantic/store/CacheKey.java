package dev.semantic.store;

import dev.semantic.store.format.FileKeys;
import java.security.SecureRandom;

/**
 * The key to parked caches, which the host keeps. Every file is encrypted with a key of its own
 * that is derived from it (HKDF, RFC 5869), and names of files are hashed with another. It shows
 * itself as its id only, which tells keys apart and nothing else about them.
 *
 * <p>The bytes must be random, from {@link #random} or a key store: a pass phrase is no key.
 */
public final class CacheKey {
  /** Bytes of a key: 256 bits. */
  public static final int BYTES = 32;

  private final FileKeys files;

  private CacheKey(byte[] bytes) {
    this.files = new FileKeys(bytes);
  }

  /**
   * The key of these bytes, which are copied.
   *
   * @throws IllegalArgumentException if they are not {@value #BYTES}
   */
  public static CacheKey of(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new IllegalArgumentException(
          "A cache key has %d bytes; these are %d".formatted(BYTES, bytes.length));
    }
    return new CacheKey(bytes);
  }

  /**
   * {@value #BYTES} bytes for a new key, from the system's source of randomness. Whoever loses them
   * loses what was parked with that key.
   */
  public static byte[] random() {
    byte[] bytes = new byte[BYTES];
    new SecureRandom().nextBytes(bytes);
    return bytes;
  }

  /** What tells this key from others: 16 hexadecimal digits, which files carry openly. */
  public String id() {
    return files.id();
  }

  /** What is derived from it for files. */
  FileKeys files() {
    return files;
  }

  @Override
  public String toString() {
    return files.toString();
  }
}
