package dev.semantic.mlx.load;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.checkpoint.Checkpoint;
import dev.semantic.mlx.checkpoint.TensorInfo;
import dev.semantic.model.ModelException;
import java.lang.foreign.MemorySegment;

/**
 * Whether weights are numbers. One that is none spreads to every token that meets it, and a model
 * that answers it answers token 0 for ever, or worse, now and then. The exponent of an infinity and
 * of what is no number has all its bits set, so adding one to it carries into the sign's place:
 * several numbers of a word are looked at in one addition, while they are in a core's cache.
 */
final class Finite {
  private Finite() {}

  /** Refuses weights that have just been written, if one of them is no number. */
  static void require(
      Checkpoint checkpoint, String tensor, MemorySegment memory, long at, long bytes, DType type) {
    if (!all(memory, at, bytes, type)) {
      throw refusal(checkpoint, tensor);
    }
  }

  private static boolean all(MemorySegment memory, long at, long bytes, DType type) {
    return switch (type) {
      case FLOAT32 -> all(memory, at, bytes, 0x7fff_ffff_7fff_ffffL, 0x0080_0000_0080_0000L);
      case BFLOAT16 -> all(memory, at, bytes, 0x7fff_7fff_7fff_7fffL, 0x0080_0080_0080_0080L);
      case FLOAT16 -> all(memory, at, bytes, 0x7fff_7fff_7fff_7fffL, 0x0400_0400_0400_0400L);
      default -> true; // integers
    };
  }

  private static boolean all(
      MemorySegment memory, long at, long bytes, long magnitude, long oneExponent) {
    long seen = 0;
    long whole = bytes / Long.BYTES * Long.BYTES;
    for (long i = 0; i < whole; i += Long.BYTES) {
      seen |= (memory.get(JAVA_LONG_UNALIGNED, at + i) & magnitude) + oneExponent;
    }
    long rest = 0;
    for (long i = whole; i < bytes; i += Short.BYTES) { // in the order of the word, zeros behind
      long half = memory.get(JAVA_SHORT_UNALIGNED, at + i) & 0xffffL;
      rest |= half << ((i - whole) * Byte.SIZE);
    }
    seen |= (rest & magnitude) + oneExponent;
    return (seen & ~magnitude) == 0;
  }

  private static ModelException refusal(Checkpoint checkpoint, String name) {
    TensorInfo tensor = checkpoint.info(name);
    float[] row = new float[tensor.columns()];
    String where = "";
    for (int i = 0; i < tensor.rows() && where.isEmpty(); i++) {
      checkpoint.expand(name, i, 1, row);
      for (int j = 0; j < row.length && where.isEmpty(); j++) {
        if (!Float.isFinite(row[j])) {
          where = " %s in row %d, column %d".formatted(row[j], i, j);
        }
      }
    }
    return new ModelException(
        ModelException.Kind.DAMAGED,
        "tensor %s in %s has%s, which is no number to compute with. Fetch it again."
            .formatted(
                tensor.name(),
                checkpoint.path(),
                where.isEmpty() ? " a number too large for its form" : where));
  }
}
