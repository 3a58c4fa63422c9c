package dev.semantic.mlx.convert;

import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.load.FloatPacking;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Float32 numbers in the formats that files have. */
final class Rounding {
  /** What became of numbers that were rounded. */
  enum Loss {
    /** All are what they were. */
    NONE,
    /** Some are only near. */
    SOME,
    /** Some are infinite now. */
    OVERFLOW
  }

  private Rounding() {}

  /** Rounds to the nearest number of a format, in place. */
  static Loss round(float[] numbers, int count, DType type) {
    if (type == DType.FLOAT32) {
      return Loss.NONE;
    }
    Loss loss = Loss.NONE;
    for (int i = 0; i < count; i++) {
      float exact = numbers[i];
      float rounded = rounded(exact, type);
      numbers[i] = rounded;
      if (rounded != exact && !Float.isNaN(exact)) {
        if (Float.isInfinite(rounded)) {
          return Loss.OVERFLOW;
        }
        loss = Loss.SOME;
      }
    }
    return loss;
  }

  private static float rounded(float number, DType type) {
    return type == DType.FLOAT16
        ? Float.float16ToFloat(Float.floatToFloat16(number))
        : Float.intBitsToFloat(FloatPacking.bfloat16(number) << Short.SIZE);
  }

  /** The bytes of numbers that have been rounded. */
  static ByteBuffer bytes(float[] numbers, int count, DType type) {
    ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(count, type.bytes()));
    bytes.order(ByteOrder.LITTLE_ENDIAN);
    switch (type) {
      case FLOAT32 -> bytes.asFloatBuffer().put(numbers, 0, count);
      case FLOAT16 -> {
        for (int i = 0; i < count; i++) {
          bytes.putShort(i * Short.BYTES, Float.floatToFloat16(numbers[i]));
        }
      }
      case BFLOAT16 -> {
        for (int i = 0; i < count; i++) {
          bytes.putShort(i * Short.BYTES, FloatPacking.bfloat16(numbers[i]));
        }
      }
      default -> throw new IllegalArgumentException("No weights are written as " + type);
    }
    return bytes;
  }
}
