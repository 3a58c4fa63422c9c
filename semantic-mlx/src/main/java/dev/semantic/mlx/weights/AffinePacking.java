package dev.semantic.mlx.weights;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * GGUF's simplest block formats in MLX's affine form. Both hold groups of 32 integers with a scale,
 * so only the order of the bits changes: Q4_0 is {@code d (q - 8)}, Q4_1 {@code d q + m}, Q8_0
 * {@code d q} with a signed {@code q}.
 */
final class AffinePacking {
  static final int GROUP = 32;

  private AffinePacking() {}

  static AffineTensor pack(TensorInfo tensor, RowReader rows) {
    int bits = tensor.type() == TensorType.Q8_0 ? 8 : 4;
    long groups = tensor.elements() / GROUP;
    MemorySegment weights = Arena.ofAuto().allocate(tensor.elements() * bits / 8, 16);
    MemorySegment scales = Arena.ofAuto().allocate(groups * Float.BYTES, 16);
    MemorySegment biases = Arena.ofAuto().allocate(groups * Float.BYTES, 16);
    int perRow = tensor.columns() / GROUP;
    rows.forEach(
        (row, bytes) -> {
          byte[] packed = new byte[tensor.columns() * bits / 8];
          for (int g = 0; g < perRow; g++) {
            long group = (long) row * perRow + g;
            int at = g * tensor.type().blockBytes();
            float scale = Dequantizer.half(bytes, at);
            scales.setAtIndex(JAVA_FLOAT, group, scale);
            biases.setAtIndex(JAVA_FLOAT, group, bias(tensor.type(), bytes, at, scale));
            repack(tensor.type(), bytes, at, packed, g * GROUP * bits / 8);
          }
          MemorySegment.copy(
              MemorySegment.ofArray(packed), 0, weights, (long) row * packed.length, packed.length);
        });
    return new AffineTensor(tensor.rows(), tensor.columns(), GROUP, bits, weights, scales, biases);
  }

  private static float bias(TensorType type, byte[] bytes, int at, float scale) {
    return switch (type) {
      case Q4_0 -> -8 * scale;
      case Q4_1 -> Dequantizer.half(bytes, at + 2);
      default -> -128 * scale;
    };
  }

  private static void repack(TensorType type, byte[] bytes, int at, byte[] packed, int to) {
    if (type == TensorType.Q8_0) {
      for (int i = 0; i < GROUP; i++) {
        packed[to + i] = (byte) (bytes[at + 2 + i] ^ 0x80); // signed to offset by 128
      }
      return;
    }
    int quants = at + (type == TensorType.Q4_0 ? 2 : 4);
    for (int i = 0; i < GROUP / 2; i++) {
      packed[to + i] =
          (byte) (nibble(bytes, quants, 2 * i) | nibble(bytes, quants, 2 * i + 1) << 4);
    }
  }

  /** GGUF keeps numbers 0 to 15 in the low halves and 16 to 31 in the high ones. */
  private static int nibble(byte[] bytes, int quants, int index) {
    int half = GROUP / 2;
    return index < half ? bytes[quants + index] & 0xf : (bytes[quants + index - half] & 0xff) >>> 4;
  }

  /** Gives every row of a tensor, in any order, from several threads. */
  interface RowReader {
    void forEach(RowConsumer consumer);
  }

  /** Takes one row as it is in the file. */
  interface RowConsumer {
    void accept(int row, byte[] bytes);
  }
}
