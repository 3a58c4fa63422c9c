package dev.semantic.store.format;

import dev.semantic.kv.CacheHash;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import javax.crypto.KDF;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * What is derived from a host's key (HKDF, RFC 5869): its id, a key of its own for each file, and
 * another that names of files are hashed with.
 */
public final class FileKeys {
  private static final int KEY_BYTES = 32;
  private static final int ID_BYTES = 8;
  private static final String HMAC = "HmacSHA256";

  private final SecretKey key;
  private final String id;
  private final SecretKey nameKey;

  /**
   * @param bytes of the host's key, which are copied
   */
  public FileKeys(byte[] bytes) {
    this.key = new SecretKeySpec(bytes, "HKDF");
    this.id =
        HexFormat.of()
            .formatHex(derive(new byte[0], text("semantic cache key id"), KEY_BYTES), 0, ID_BYTES);
    this.nameKey =
        new SecretKeySpec(derive(new byte[0], text("semantic cache names"), KEY_BYTES), HMAC);
  }

  /** What tells the host's key from others: 16 hexadecimal digits, which files carry openly. */
  public String id() {
    return id;
  }

  /** Hashes what files are named by. */
  public CacheHash names() {
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
  public FileCipher cipher(byte[] salt, byte[] open) {
    byte[] label = text("semantic cache file");
    byte[] hash = CacheHash.SHA_256.of(open);
    byte[] info = new byte[label.length + hash.length];
    System.arraycopy(label, 0, info, 0, label.length);
    System.arraycopy(hash, 0, info, label.length, hash.length);
    return new FileCipher(new SecretKeySpec(derive(salt, info, KEY_BYTES), "AES"));
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
