package dev.semantic.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32C;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Reads a cache file from front to back by what {@code docs/cache-format.md} says, with nothing of
 * the code it checks.
 */
final class PageReader {
  private final byte[] file;
  private final ByteBuffer in;
  private final ByteArrayOutputStream checksums = new ByteArrayOutputStream();
  private final JsonNode header;
  private final byte @Nullable [] fileKey;
  private long piece;

  PageReader(byte[] file, byte @Nullable [] key) throws Exception {
    this.file = file;
    this.in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    assertEquals("8a534b560d0a1a0a", HexFormat.of().formatHex(bytes(8)));
    assertEquals(3, in.getInt());
    int headerBytes = in.getInt();
    assertEquals(crc(Arrays.copyOfRange(file, 24, 24 + headerBytes)), in.getInt());
    assertEquals(crc(Arrays.copyOf(file, 20)), in.getInt());
    JsonNode open = new ObjectMapper().readTree(bytes(headerBytes));
    assertEquals(0, in.position() % 64);
    if (key == null) {
      fileKey = null;
      header = open;
    } else {
      assertEquals("AES-256-GCM", open.get("cipher").textValue());
      assertEquals("2026-01-01T00:00:01Z", open.get("parked").textValue());
      assertEquals("alpha", open.get("model").textValue());
      byte[] id = hkdf(key, new byte[0], ascii("semantic cache key id"));
      assertEquals(HexFormat.of().formatHex(id, 0, 8), open.get("key").textValue());
      byte[] said = MessageDigest.getInstance("SHA-256").digest(Arrays.copyOf(file, in.position()));
      byte[] info = Arrays.copyOf(ascii("semantic cache file"), 19 + 32);
      System.arraycopy(said, 0, info, 19, 32);
      fileKey = hkdf(key, HexFormat.of().parseHex(open.get("salt").textValue()), info);
      header = new ObjectMapper().readTree(decrypted(open.get("headerBytes").intValue()));
    }
  }

  JsonNode header() {
    return header;
  }

  int precisionBytes() {
    return header.get("precision").textValue().equals("FLOAT32") ? 4 : 2;
  }

  private byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    in.get(bytes);
    return bytes;
  }

  /** A section of so many bytes. */
  ByteBuffer section(int length) throws Exception {
    ByteBuffer section = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (section.hasRemaining()) {
      int block = Math.min(header.get("blockBytes").intValue(), section.remaining());
      if (fileKey == null) {
        byte[] each = bytes(block);
        section.put(each);
        checksums.write(little(crc(each)));
      } else {
        section.put(decrypted(block));
      }
    }
    return section.flip();
  }

  /** The next piece, which is so long before it is encrypted. */
  private byte[] decrypted(int length) throws Exception {
    ByteBuffer nonce = ByteBuffer.allocate(12).putInt(0).putLong(piece++);
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(
        Cipher.DECRYPT_MODE,
        new SecretKeySpec(fileKey, "AES"),
        new GCMParameterSpec(128, nonce.array()));
    return cipher.doFinal(bytes(length + 16));
  }

  /** A section of numbers, in the precision that they have in memory. */
  ByteBuffer numbers(int rows, int headDim) throws Exception {
    String encoding = header.get("encoding").textValue();
    if (encoding.equals("EXACT")) {
      return section(rows * headDim * precisionBytes());
    }
    int most = encoding.equals("Q4") ? 15 : 255;
    int groups = Math.max(1, headDim / 64);
    int rowBytes = 0;
    for (int group = 0; group < groups; group++) {
      int count = (group + 1) * headDim / groups - group * headDim / groups;
      rowBytes += 4 + (most == 15 ? (count + 1) / 2 : count);
    }
    ByteBuffer from = section(rows * rowBytes);
    ByteBuffer to =
        ByteBuffer.allocate(rows * headDim * precisionBytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (int row = 0; row < rows; row++) {
      for (int group = 0; group < groups; group++) {
        group(from, to, (group + 1) * headDim / groups - group * headDim / groups, most);
      }
    }
    assertFalse(from.hasRemaining());
    return to.flip();
  }

  private void group(ByteBuffer from, ByteBuffer to, int count, int most) {
    String precision = header.get("precision").textValue();
    float least = half(precision, from.getShort());
    float greatest = half(precision, from.getShort());
    byte[] codes = new byte[most == 15 ? (count + 1) / 2 : count];
    from.get(codes);
    for (int i = 0; i < count; i++) {
      int code;
      if (most == 255) {
        code = codes[i] & 255;
      } else if (i < codes.length) {
        code = codes[i] & 15;
      } else {
        code = (codes[i - codes.length] & 255) >> 4;
      }
      float number = (least * (most - code) + greatest * code) / most;
      switch (precision) {
        case "FLOAT32" -> to.putFloat(number);
        case "FLOAT16" -> to.putShort(Float.floatToFloat16(number));
        default -> to.putShort(bfloat16(number));
      }
    }
  }

  private static float half(String precision, short bits) {
    return precision.equals("BFLOAT16")
        ? Float.intBitsToFloat(bits << 16)
        : Float.float16ToFloat(bits);
  }

  /** The nearer of the two neighbours, the even one of two that are equally near. */
  private static short bfloat16(float number) {
    int below = Float.floatToIntBits(number) >> 16;
    double low = Float.intBitsToFloat(below << 16);
    double high = Float.intBitsToFloat((below + 1) << 16);
    double toLow = Math.abs(number - low);
    double toHigh = Math.abs(high - number);
    boolean up = toHigh < toLow || (toHigh == toLow && below % 2 != 0);
    return (short) (up ? below + 1 : below);
  }

  /** What is behind the sections. */
  void end() throws Exception {
    if (fileKey == null) {
      byte[] table = checksums.toByteArray();
      assertArrayEquals(table, bytes(table.length));
      byte[] sealed = Arrays.copyOf(file, 20 + table.length);
      System.arraycopy(table, 0, sealed, 20, table.length);
      assertEquals(crc(sealed), in.getInt());
    }
    assertEquals(0, in.remaining());
  }

  private static byte[] little(int number) {
    return ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(number).array();
  }

  private static int crc(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /** RFC 5869 with SHA-256, 32 bytes. */
  static byte[] hkdf(byte[] key, byte[] salt, byte[] info) throws Exception {
    byte[] extracted = hmac(salt.length == 0 ? new byte[32] : salt, key);
    byte[] first = Arrays.copyOf(info, info.length + 1);
    first[info.length] = 1;
    return hmac(extracted, first);
  }

  static byte[] hmac(byte[] key, byte[] bytes) throws Exception {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    return mac.doFinal(bytes);
  }
}
