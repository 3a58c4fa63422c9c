package dev.semantic.store.format;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;

/**
 * AES-256-GCM over the pieces of one file. The key is that file's alone and each piece has its
 * number for a nonce, so that no nonce is ever used twice with a key, and a piece that is changed,
 * or in another's place, is found out. Safe for use by several threads.
 */
public final class FileCipher {
  /** What a piece grows by. */
  public static final int TAG_BYTES = 16;

  private static final int NONCE_BYTES = 12;

  private final SecretKey key;

  FileCipher(SecretKey key) {
    this.key = key;
  }

  /** Encrypts a piece, from position to limit, and puts its tag behind it. */
  public void seal(long piece, ByteBuffer plain, ByteBuffer sealed) {
    try {
      cipher(Cipher.ENCRYPT_MODE, piece).doFinal(plain, sealed);
    } catch (GeneralSecurityException e) {
      throw new AssertionError("encrypting piece " + piece, e);
    }
  }

  /**
   * Decrypts a piece, from position to limit.
   *
   * @param what it is, for people
   * @throws CacheFileException if it is not what was encrypted
   */
  public void open(String what, long piece, ByteBuffer sealed, ByteBuffer plain)
      throws CacheFileException {
    try {
      cipher(Cipher.DECRYPT_MODE, piece).doFinal(sealed, plain);
    } catch (AEADBadTagException e) {
      throw CacheFileException.damaged(what + " is not what was encrypted: its tag is wrong");
    } catch (GeneralSecurityException e) {
      throw new AssertionError("decrypting piece " + piece, e);
    }
  }

  private Cipher cipher(int mode, long piece) throws GeneralSecurityException {
    byte[] nonce = new byte[NONCE_BYTES];
    ByteBuffer.wrap(nonce).putLong(NONCE_BYTES - Long.BYTES, piece);
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, key, new GCMParameterSpec(8 * TAG_BYTES, nonce));
    return cipher;
  }
}
