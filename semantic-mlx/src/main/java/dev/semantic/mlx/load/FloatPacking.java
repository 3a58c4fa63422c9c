package dev.semantic.mlx.load;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.semantic.mlx.array.DType;
import java.lang.foreign.MemorySegment;

/** Float32 numbers, written in the format that is computed with. */
public final class FloatPacking {
  private FloatPacking() {}

  /** Writes the first {@code count} numbers from byte {@code at} of {@code memory} on. */
  static void write(float[] from, int count, DType type, MemorySegment memory, long at) {
    switch (type) {
      case FLOAT32 -> MemorySegment.copy(from, 0, memory, JAVA_FLOAT, at, count);
      case BFLOAT16 -> {
        short[] rounded = new short[count];
        for (int i = 0; i < count; i++) {
          rounded[i] = bfloat16(from[i]);
        }
        MemorySegment.copy(rounded, 0, memory, JAVA_SHORT, at, count);
      }
      case FLOAT16 -> {
        short[] rounded = new short[count];
        for (int i = 0; i < count; i++) {
          rounded[i] = Float.floatToFloat16(from[i]);
        }
        MemorySegment.copy(rounded, 0, memory, JAVA_SHORT, at, count);
      }
      default -> throw new IllegalArgumentException("No weights are computed with as " + type);
    }
  }

  /** Rounded to nearest, ties to even, as MLX does; not a number stays none. */
  public static short bfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) ((bits >>> 16) | 0x40);
    }
    return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
  }
}
