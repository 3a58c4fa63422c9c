package dev.semantic.cache;

import dev.semantic.cache.CacheSections.Section;
import dev.semantic.cache.KvSnapshot.LayerKv;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Reads one cache file and believes nothing in it before its checksum holds and its lengths fit the
 * file. An {@link IOException} other than {@link CacheFileException} means that the file could not
 * be read, not that it is bad.
 */
final class CacheFileReader {
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

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

  /** Reads and checks everything else. */
  KvSnapshot snapshot() throws IOException {
    ByteBuffer table = table();
    List<ByteBuffer> body = body(table);
    int[] tokens = new int[header.tokens()];
    body.getFirst().order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(tokens);
    List<LayerKv> layers = new ArrayList<>();
    for (int i = 0; i < header.spans().size(); i++) {
      CacheHeader.Span span = header.spans().get(i);
      layers.add(
          new LayerKv(span.start(), span.length(), body.get(1 + 2 * i), body.get(2 + 2 * i)));
    }
    try {
      return new KvSnapshot(header.tag(), header.layout(), header.precision(), tokens, layers);
    } catch (IllegalArgumentException e) {
      throw CacheFileException.writtenWrong(String.valueOf(e.getMessage()));
    }
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

  /**
   * The sections, read and checked by several threads: two cores take a cached file faster than
   * one, and reads by position don't interfere. All of them are done when this returns or throws.
   */
  private List<ByteBuffer> body(ByteBuffer table) throws IOException {
    AtomicReference<@Nullable IOException> failure = new AtomicReference<>();
    List<ByteBuffer> body =
        sections.all().parallelStream()
            .map(
                section -> {
                  try {
                    return failure.get() == null ? read(section, table) : NOTHING;
                  } catch (IOException e) {
                    failure.compareAndSet(null, e);
                    return NOTHING;
                  }
                })
            .toList();
    IOException failed = failure.get();
    if (failed != null) {
      throw failed;
    }
    return body;
  }

  private ByteBuffer read(Section section, ByteBuffer table) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(section.bytes());
    CRC32C crc = new CRC32C();
    for (int block = 0; bytes.position() < section.bytes(); block++) {
      int start = bytes.position();
      int length = Math.min(header.blockBytes(), section.bytes() - start);
      long offset = section.offset() + start;
      readFully(channel, section.name(), offset, bytes.limit(start + length));
      crc.reset();
      crc.update(bytes.array(), start, length);
      int expected = table.getInt(4 * (section.firstBlock() + block));
      if (expected != (int) crc.getValue()) {
        throw CacheFileException.checksum(
            "%s, block %d at offset %d".formatted(section.name(), block, offset),
            expected,
            (int) crc.getValue());
      }
    }
    return bytes.flip();
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
