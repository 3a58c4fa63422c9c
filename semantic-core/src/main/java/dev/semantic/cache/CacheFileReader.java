package dev.semantic.cache;

import dev.semantic.cache.CacheSections.Section;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Reads one cache file and believes nothing in it before its checksum holds and its lengths fit the
 * file. An {@link IOException} other than {@link CacheFileException} means that the file could not
 * be read, not that it is bad.
 */
final class CacheFileReader {
  private final FileChannel channel;
  private final CachePrologue prologue;
  private final CacheHeader header;
  private final CacheSections sections;

  private CacheFileReader(
      FileChannel channel, CachePrologue prologue, CacheHeader header, CacheSections sections) {
    this.channel = channel;
    this.prologue = prologue;
    this.header = header;
    this.sections = sections;
  }

  /** Reads and checks the header, and that the file is as long as the header makes it. */
  static CacheFileReader open(FileChannel channel) throws IOException {
    long size = channel.size();
    if (size < CachePrologue.BYTES) {
      throw CacheFileException.damaged(
          "it has %d bytes, a cache file at least %d".formatted(size, CachePrologue.BYTES));
    }
    CachePrologue prologue =
        CachePrologue.parse(read(channel, "the prologue", 0, CachePrologue.BYTES));
    long body = CachePrologue.BYTES + (long) prologue.headerBytes();
    if (size < body) {
      throw CacheFileException.damaged(
          "it has %d bytes, its header alone ends at %d".formatted(size, body));
    }
    byte[] json = read(channel, "the header", CachePrologue.BYTES, prologue.headerBytes()).array();
    CachePrologue.expectChecksum(
        "the header at offset " + CachePrologue.BYTES,
        prologue.headerChecksum(),
        CachePrologue.checksum(json, json.length));
    CacheHeader header = CacheHeader.parse(json);
    CacheSections sections = CacheSections.after(body, header);
    if (size != sections.end()) {
      throw CacheFileException.damaged(
          "it has %d bytes, by its header it should have %d".formatted(size, sections.end()));
    }
    return new CacheFileReader(channel, prologue, header, sections);
  }

  CacheHeader header() {
    return header;
  }

  /** Reads and checks the ids of the tokens from the header's {@code firstId} on. */
  int[] ids() throws IOException {
    Section section = sections.all().getFirst();
    ByteBuffer bytes = ByteBuffer.allocate(section.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    read(section, KvRuns.all(bytes), table());
    int[] ids = new int[section.bytes() / 4];
    bytes.asIntBuffer().get(ids);
    return ids;
  }

  /** Part of the reading of a file. */
  @FunctionalInterface
  interface Job {
    void run() throws IOException;
  }

  /**
   * Checks the seal.
   *
   * @param targets where each layer's keys and values go, in the order of the file
   * @return a job for each of them, that reads and checks it; in any order, by any thread
   */
  List<Job> jobs(List<KvRuns> targets) throws IOException {
    ByteBuffer table = table();
    List<Job> jobs = new ArrayList<>();
    for (int i = 0; i < targets.size(); i++) {
      Section section = sections.all().get(1 + i);
      KvRuns target = targets.get(i);
      jobs.add(() -> read(section, target, table));
    }
    return jobs;
  }

  /** The block checksums, sealed together with the prologue, which seals the header. */
  private ByteBuffer table() throws IOException {
    ByteBuffer table =
        read(
            channel,
            "the checksums",
            sections.table(),
            4 * sections.blocks() + CacheSections.SEAL_BYTES);
    table.order(ByteOrder.LITTLE_ENDIAN);
    int sealed = table.limit() - CacheSections.SEAL_BYTES;
    CRC32C seal = new CRC32C();
    seal.update(prologue.sealed());
    seal.update(table.slice(0, sealed));
    CachePrologue.expectChecksum(
        "the table of checksums at offset " + sections.table(),
        table.getInt(sealed),
        (int) seal.getValue());
    return table;
  }

  private void read(Section section, KvRuns target, ByteBuffer table) throws IOException {
    CRC32C crc = new CRC32C();
    for (int start = 0, block = section.firstBlock();
        start < section.bytes();
        start += header.blockBytes(), block++) {
      int length = Math.min(header.blockBytes(), section.bytes() - start);
      long offset = section.offset() + start;
      long[] at = {offset};
      crc.reset();
      target.each(
          start,
          length,
          piece -> {
            readFully(channel, section.name(), at[0], piece.duplicate());
            at[0] += piece.remaining();
            crc.update(piece);
          });
      int expected = table.getInt(4 * block);
      if (expected != (int) crc.getValue()) {
        throw CacheFileException.checksum(
            "%s, block %d at offset %d"
                .formatted(section.name(), block - section.firstBlock(), offset),
            expected,
            (int) crc.getValue());
      }
    }
  }

  private static ByteBuffer read(FileChannel channel, String what, long offset, int length)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    readFully(channel, what, offset, bytes);
    return bytes.flip();
  }

  /** Fills {@code bytes} up to its limit. */
  private static void readFully(FileChannel channel, String what, long offset, ByteBuffer bytes)
      throws IOException {
    long at = offset;
    while (bytes.hasRemaining()) {
      int count = channel.read(bytes, at);
      if (count < 0) {
        throw CacheFileException.damaged("it ends at offset %d, in %s".formatted(at, what));
      }
      at += count;
    }
  }
}
