package dev.semantic.store.format;

import dev.semantic.store.format.CacheFileException.Kind;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/**
 * The first 24 bytes of every cache file, alike in all versions: magic, version, length and
 * checksum of the header, checksum of the prologue itself.
 */
public record FileMagic(int version, int headerBytes, int headerChecksum) {
  public static final int BYTES = 24;
  public static final int VERSION = 3;
  static final int MOST_HEADER_BYTES = 4 << 20;

  /** Like PNG's: not text, and spoilt by whatever changes line ends or the eighth bit. */
  private static final byte[] MAGIC = {(byte) 0x8A, 'S', 'K', 'V', '\r', '\n', 0x1A, '\n'};

  public ByteBuffer toBytes() {
    ByteBuffer bytes = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.put(MAGIC).putInt(version).putInt(headerBytes).putInt(headerChecksum);
    return bytes.putInt(checksum(bytes.array(), bytes.position())).flip();
  }

  /**
   * What the seal at the file's end covers, beside the block checksums: all but the prologue's own
   * checksum, since the CRC over bytes and their CRC is the same for whatever bytes.
   */
  public ByteBuffer sealed() {
    return toBytes().limit(BYTES - 4);
  }

  static FileMagic parse(ByteBuffer bytes) throws CacheFileException {
    bytes.order(ByteOrder.LITTLE_ENDIAN);
    byte[] start = new byte[BYTES - 4];
    bytes.get(start);
    byte[] magic = Arrays.copyOf(start, MAGIC.length);
    if (!Arrays.equals(magic, MAGIC)) {
      throw CacheFileException.damaged(
          "the magic at offset 0 should be %s, it is %s; is it a cache file?"
              .formatted(HexFormat.of().formatHex(MAGIC), HexFormat.of().formatHex(magic)));
    }
    expectChecksum("the prologue at offset 0", bytes.getInt(), checksum(start, start.length));
    ByteBuffer numbers = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN);
    numbers.position(MAGIC.length);
    FileMagic fileMagic = new FileMagic(numbers.getInt(), numbers.getInt(), numbers.getInt());
    fileMagic.check();
    return fileMagic;
  }

  private void check() throws CacheFileException {
    if (version != VERSION) {
      throw new CacheFileException(
          version > VERSION ? Kind.TOO_NEW : Kind.TOO_OLD,
          "it has format version %d at offset 8, this release reads version %d"
              .formatted(version, VERSION));
    }
    if (headerBytes < 0 || headerBytes > MOST_HEADER_BYTES) {
      throw CacheFileException.writtenWrong(
          "the header's length at offset 12 is %d, expected 0 to %d"
              .formatted(headerBytes, MOST_HEADER_BYTES));
    }
  }

  public static int checksum(byte[] bytes, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }

  static void expectChecksum(String what, int expected, int found) throws CacheFileException {
    if (expected != found) {
      throw CacheFileException.checksum(what, expected, found);
    }
  }
}
