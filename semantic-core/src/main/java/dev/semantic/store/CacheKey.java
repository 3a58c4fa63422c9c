package dev.semantic.store;

import dev.semantic.kv.CacheHash;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.HexFormat;
import javax.crypto.KDF;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.SecretKeySpec;

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

  private static final int ID_BYTES = 8;
  private static final String HMAC = "HmacSHA256";

  private final SecretKey key;
  private final String id;
  private final SecretKey nameKey;

  private CacheKey(byte[] bytes) {
    this.key = new SecretKeySpec(bytes, "HKDF");
    this.id =
        HexFormat.of()
            .formatHex(derive(new byte[0], text("semantic cache key id"), BYTES), 0, ID_BYTES);
    this.nameKey =
        new SecretKeySpec(derive(new byte[0], text("semantic cache names"), BYTES), HMAC);
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
    return id;
  }

  /** Hashes what files are named by. */
  CacheHash names() {
    return parts -> {
      try {
        Mac mac = Mac.getInstance(HMAC);
        mac.init(nameKey);
        for (byte[] part : parts) {
          mac.update(part);
        }
        return mac.doFinal();
      } catch (GeneralSecurityException e) {
        throw new AssertionError("every Java has " + HMAC, e);
      }
    };
  }

  /**
   * The cipher for one file.
   *
   * @param salt drawn for this file alone
   * @param open what the file says openly: whoever changes it has another key
   */
  FileCipher cipher(byte[] salt, byte[] open) {
    byte[] label = text("semantic cache file");
    byte[] hash = CacheHash.SHA_256.of(open);
    byte[] info = new byte[label.length + hash.length];
    System.arraycopy(label, 0, info, 0, label.length);
    System.arraycopy(hash, 0, info, label.length, hash.length);
    return new FileCipher(new SecretKeySpec(derive(salt, info, BYTES), "AES"));
  }

  private byte[] derive(byte[] salt, byte[] info, int length) {
    try {
      return KDF.getInstance("HKDF-SHA256")
          .deriveData(
              HKDFParameterSpec.ofExtract().addIKM(key).addSalt(salt).thenExpand(info, length));
    } catch (GeneralSecurityException e) {
      throw new AssertionError("every Java from 25 on has HKDF", e);
    }
  }

  private static byte[] text(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  @Override
  public String toString() {
    return "cache key " + id;
  }
}
