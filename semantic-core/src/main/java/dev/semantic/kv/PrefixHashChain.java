package dev.semantic.kv;

import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelTag;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * Names for the beginnings of a text: each block's hash covers the hash of the block before it, so
 * that equal hashes mean equal tokens from the very first on, and the same model. (vLLM's automatic
 * prefix caching identifies blocks alike.)
 */
public final class PrefixHashChain {
  private static final int HASH_BYTES = 16;

  private PrefixHashChain() {}

  /**
   * The hash of each whole block of {@code blockTokens} that {@code tokens} has, in order.
   *
   * @param encoding how the numbers are written; blocks written in different ways are never mixed
   */
  public static List<String> of(
      CacheHash hash,
      ModelTag tag,
      KvPrecision precision,
      KvEncoding encoding,
      int[] tokens,
      int blockTokens) {
    String seed = "%s:%s:%s:%s".formatted(tag.fingerprint(), precision, encoding, tag.model());
    byte[] before = hash.of(seed.getBytes(StandardCharsets.UTF_8));
    byte[] ids = new byte[4 * blockTokens];
    IntBuffer numbers = ByteBuffer.wrap(ids).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer();
    List<String> hashes = new ArrayList<>();
    for (int start = 0; start + blockTokens <= tokens.length; start += blockTokens) {
      numbers.clear().put(tokens, start, blockTokens);
      before = hash.of(before, ids);
      hashes.add(HexFormat.of().formatHex(before, 0, HASH_BYTES));
    }
    return hashes;
  }
}
