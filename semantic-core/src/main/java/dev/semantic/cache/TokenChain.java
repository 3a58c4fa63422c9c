package dev.semantic.cache;

import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelTag;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * Names for the beginnings of a text: each block's hash covers the hash of the block before it, so
 * that equal hashes mean equal tokens from the very first on, and the same model. (vLLM's automatic
 * prefix caching identifies blocks alike.)
 */
final class TokenChain {
  private static final int HASH_BYTES = 16;

  private TokenChain() {}

  /**
   * The hash of each whole block of {@code blockTokens} that {@code tokens} has, in order.
   *
   * @param encoding how the numbers are written; blocks written in different ways are never mixed
   */
  static List<String> of(
      ModelTag tag, KvPrecision precision, String encoding, int[] tokens, int blockTokens) {
    MessageDigest sha = sha256();
    String seed = "%s:%s:%s:%s".formatted(tag.fingerprint(), precision, encoding, tag.model());
    byte[] before = sha.digest(seed.getBytes(StandardCharsets.UTF_8));
    ByteBuffer ids = ByteBuffer.allocate(4 * blockTokens).order(ByteOrder.LITTLE_ENDIAN);
    List<String> hashes = new ArrayList<>();
    for (int start = 0; start + blockTokens <= tokens.length; start += blockTokens) {
      ids.clear().asIntBuffer().put(tokens, start, blockTokens);
      sha.update(before);
      sha.update(ids);
      before = sha.digest();
      hashes.add(HexFormat.of().formatHex(before, 0, HASH_BYTES));
    }
    return hashes;
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java has SHA-256", e);
    }
  }
}
