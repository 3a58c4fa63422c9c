package dev.semantic.kv;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * What names are made with: SHA-256, or with a key HMAC-SHA-256, by which nobody without that key
 * can find out whether a guess at what was hashed is right.
 */
@FunctionalInterface
public interface CacheHash {
  CacheHash SHA_256 =
      parts -> {
        MessageDigest sha = sha256();
        for (byte[] part : parts) {
          sha.update(part);
        }
        return sha.digest();
      };

  /** The hash, of 32 bytes, of all parts, one behind the other. */
  byte[] of(byte[]... parts);

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java has SHA-256", e);
    }
  }
}
