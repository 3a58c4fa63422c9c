package dev.semantic.mlx.quant;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.nio.ByteBuffer;

/**
 * Expands rows of GGUF's block formats to float32. Layouts and order of operations are those of
 * ggml's reference code (ggml-quants.c), so that the numbers are the same to the bit.
 */
public final class Dequantizer {
  private Dequantizer() {}

  /** Expands the blocks of the first {@code numbers} numbers in {@code from}. */
  public static void expand(TensorType type, byte[] from, int numbers, float[] to) {
    int blocks = numbers / type.blockSize();
    switch (type) {
      case F32 -> ByteBuffer.wrap(from).order(LITTLE_ENDIAN).asFloatBuffer().get(to, 0, numbers);
      case F16 -> f16(from, numbers, to);
      case BF16 -> bf16(from, numbers, to);
      case Q4_0 -> q40(from, blocks, to);
      case Q4_1 -> q41(from, blocks, to);
      case Q5_0 -> q50(from, blocks, to);
      case Q5_1 -> q51(from, blocks, to);
      case Q8_0 -> q80(from, blocks, to);
      case Q4_K, Q5_K, Q6_K -> {
        for (int b = 0; b < blocks; b++) {
          large(type, from, b * type.blockBytes(), to, b * type.blockSize());
        }
      }
    }
  }

  private static void large(TensorType type, byte[] from, int at, float[] to, int out) {
    switch (type) {
      case Q4_K -> q4k(from, at, to, out);
      case Q5_K -> q5k(from, at, to, out);
      default -> q6k(from, at, to, out);
    }
  }

  static float half(byte[] from, int at) {
    return Float.float16ToFloat(int16(from, at));
  }

  /** By hand: a JVM that has just started takes long to make a view of the array fast. */
  private static short int16(byte[] from, int at) {
    return (short) ((from[at] & 0xff) | from[at + 1] << 8);
  }

  private static int int32(byte[] from, int at) {
    return (int16(from, at) & 0xffff) | int16(from, at + 2) << 16;
  }

  private static void f16(byte[] from, int numbers, float[] to) {
    for (int i = 0; i < numbers; i++) {
      to[i] = half(from, 2 * i);
    }
  }

  private static void bf16(byte[] from, int numbers, float[] to) {
    for (int i = 0; i < numbers; i++) {
      to[i] = Float.intBitsToFloat(int16(from, 2 * i) << 16);
    }
  }

  /** The offset is a power of two times the scale, so adding it afterwards is exact. */
  private static void q40(byte[] from, int blocks, float[] to) {
    for (int b = 0, at = 0, out = 0; b < blocks; b++, at += 18, out += 32) {
      float d = half(from, at);
      float m = -8 * d;
      for (int i = 0; i < 16; i++) {
        int q = from[at + 2 + i];
        to[out + i] = d * (q & 0xf) + m;
        to[out + 16 + i] = d * ((q >>> 4) & 0xf) + m;
      }
    }
  }

  private static void q41(byte[] from, int blocks, float[] to) {
    for (int b = 0, at = 0, out = 0; b < blocks; b++, at += 20, out += 32) {
      float d = half(from, at);
      float m = half(from, at + 2);
      for (int i = 0; i < 16; i++) {
        int q = from[at + 4 + i];
        to[out + i] = d * (q & 0xf) + m;
        to[out + 16 + i] = d * ((q >>> 4) & 0xf) + m;
      }
    }
  }

  private static void q50(byte[] from, int blocks, float[] to) {
    for (int b = 0, at = 0, out = 0; b < blocks; b++, at += 22, out += 32) {
      float d = half(from, at);
      int high = int32(from, at + 2);
      for (int i = 0; i < 16; i++) {
        int q = from[at + 6 + i];
        to[out + i] = d * (((q & 0xf) | ((high >>> i) & 1) << 4) - 16);
        to[out + 16 + i] = d * ((((q >>> 4) & 0xf) | ((high >>> (i + 16)) & 1) << 4) - 16);
      }
    }
  }

  private static void q51(byte[] from, int blocks, float[] to) {
    for (int b = 0, at = 0, out = 0; b < blocks; b++, at += 24, out += 32) {
      float d = half(from, at);
      float m = half(from, at + 2);
      int high = int32(from, at + 4);
      for (int i = 0; i < 16; i++) {
        int q = from[at + 8 + i];
        to[out + i] = d * ((q & 0xf) | ((high >>> i) & 1) << 4) + m;
        to[out + 16 + i] = d * (((q >>> 4) & 0xf) | ((high >>> (i + 16)) & 1) << 4) + m;
      }
    }
  }

  private static void q80(byte[] from, int blocks, float[] to) {
    for (int b = 0, at = 0, out = 0; b < blocks; b++, at += 34, out += 32) {
      float d = half(from, at);
      for (int i = 0; i < 32; i++) {
        to[out + i] = d * from[at + 2 + i];
      }
    }
  }

  private static void q4k(byte[] from, int at, float[] to, int out) {
    float d = half(from, at);
    float min = half(from, at + 2);
    int scales = at + 4;
    int quants = at + 16;
    for (int pair = 0; pair < 4; pair++) {
      float d1 = d * scale(from, scales, 2 * pair);
      float m1 = min * minimum(from, scales, 2 * pair);
      float d2 = d * scale(from, scales, 2 * pair + 1);
      float m2 = min * minimum(from, scales, 2 * pair + 1);
      int target = out + 64 * pair;
      for (int i = 0; i < 32; i++) {
        int q = from[quants + 32 * pair + i];
        to[target + i] = d1 * (q & 0xf) - m1;
        to[target + 32 + i] = d2 * ((q >>> 4) & 0xf) - m2;
      }
    }
  }

  private static void q5k(byte[] from, int at, float[] to, int out) {
    float d = half(from, at);
    float min = half(from, at + 2);
    int scales = at + 4;
    int high = at + 16;
    int quants = at + 48;
    for (int pair = 0; pair < 4; pair++) {
      float d1 = d * scale(from, scales, 2 * pair);
      float m1 = min * minimum(from, scales, 2 * pair);
      float d2 = d * scale(from, scales, 2 * pair + 1);
      float m2 = min * minimum(from, scales, 2 * pair + 1);
      int target = out + 64 * pair;
      for (int i = 0; i < 32; i++) {
        int q = from[quants + 32 * pair + i];
        int h = from[high + i] >>> (2 * pair);
        to[target + i] = d1 * ((q & 0xf) + (h & 1) * 16) - m1;
        to[target + 32 + i] = d2 * (((q >>> 4) & 0xf) + ((h >>> 1) & 1) * 16) - m2;
      }
    }
  }

  /** Six bits of scale {@code j} of eight, as Q4_K and Q5_K pack them into twelve bytes. */
  static int scale(byte[] from, int scales, int j) {
    return j < 4
        ? from[scales + j] & 63
        : (from[scales + j + 4] & 0xf) | ((from[scales + j - 4] & 0xff) >>> 6) << 4;
  }

  static int minimum(byte[] from, int scales, int j) {
    return j < 4
        ? from[scales + j + 4] & 63
        : (from[scales + j + 4] & 0xff) >>> 4 | ((from[scales + j] & 0xff) >>> 6) << 4;
  }

  private static void q6k(byte[] from, int at, float[] to, int out) {
    float d = half(from, at + 208);
    for (int part = 0; part < 2; part++) {
      int low = at + 64 * part;
      int high = at + 128 + 32 * part;
      int scales = at + 192 + 8 * part;
      int target = out + 128 * part;
      for (int i = 0; i < 32; i++) {
        int s = scales + i / 16;
        int a = from[low + i];
        int b = from[low + 32 + i];
        int h = from[high + i];
        to[target + i] = d * from[s] * (((a & 0xf) | (h & 3) << 4) - 32);
        to[target + 32 + i] = d * from[s + 2] * (((b & 0xf) | ((h >>> 2) & 3) << 4) - 32);
        to[target + 64 + i] = d * from[s + 4] * ((((a >>> 4) & 0xf) | ((h >>> 4) & 3) << 4) - 32);
        to[target + 96 + i] = d * from[s + 6] * ((((b >>> 4) & 0xf) | ((h >>> 6) & 3) << 4) - 32);
      }
    }
  }
}
