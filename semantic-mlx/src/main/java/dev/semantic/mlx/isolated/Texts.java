package dev.semantic.mlx.isolated;

import dev.semantic.model.ModelException;
import dev.semantic.spi.Detokenizer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.util.BitSet;
import java.util.List;

/**
 * A detokenizer on its way from the child: the bytes of all tokens, where each one's end (32 bits,
 * little-endian), and a bit for each that is special.
 */
final class Texts {
  private Texts() {}

  static List<ByteBuffer> parts(Detokenizer detokenizer) {
    int[] ends = detokenizer.ends();
    ByteBuffer bounds =
        ByteBuffer.allocate(Math.multiplyExact(ends.length, Integer.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    bounds.asIntBuffer().put(ends);
    return List.of(
        ByteBuffer.wrap(detokenizer.bytes()),
        bounds,
        ByteBuffer.wrap(detokenizer.special().toByteArray()));
  }

  /**
   * What the child says that tokens stand for.
   *
   * @throws ModelException if that cannot be
   */
  static Detokenizer of(Response.Prepared prepared, List<ByteBuffer> parts) {
    try {
      IntBuffer bounds = parts.get(1).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer();
      int[] ends = new int[bounds.remaining()];
      bounds.get(ends);
      return new Detokenizer(
          bytes(parts.get(0)), ends, BitSet.valueOf(parts.get(2)), prepared.dropsFirstSpace());
    } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
      throw new ModelException(
          ModelException.Kind.FAILED, "The process sent texts of tokens that fit nothing: " + e, e);
    }
  }

  private static byte[] bytes(ByteBuffer part) {
    byte[] bytes = new byte[part.remaining()];
    part.duplicate().get(bytes);
    return bytes;
  }
}
