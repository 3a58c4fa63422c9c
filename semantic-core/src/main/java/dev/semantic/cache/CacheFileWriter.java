package dev.semantic.cache;

import dev.semantic.cache.CacheSections.Section;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/** Writes one cache file from front to back, in the form that {@link CacheFileReader} reads. */
final class CacheFileWriter {
  /** The header is padded with blanks, so that the body starts at a multiple of this. */
  private static final int ALIGNMENT = 64;

  private final WritableByteChannel channel;
  private final CacheHeader header;

  /** Outside the heap, where neither the checksum nor the channel needs a copy of its own. */
  private final ByteBuffer block;

  private CacheFileWriter(WritableByteChannel channel, CacheHeader header) {
    this.channel = channel;
    this.header = header;
    this.block = ByteBuffer.allocateDirect(header.blockBytes());
  }

  /**
   * Writes what {@code header} says of {@code snapshot}.
   *
   * @return bytes of the file
   */
  static long write(WritableByteChannel channel, CacheHeader header, KvSnapshot snapshot)
      throws IOException {
    return new CacheFileWriter(channel, header).write(snapshot);
  }

  private long write(KvSnapshot snapshot) throws IOException {
    byte[] json = padded(header.toJson());
    if (json.length > CachePrologue.MOST_HEADER_BYTES) {
      throw new IOException("a header of " + json.length + " bytes is too long");
    }
    CacheSections sections = CacheSections.after(CachePrologue.BYTES + (long) json.length, header);
    CachePrologue prologue =
        new CachePrologue(
            CachePrologue.VERSION, json.length, CachePrologue.checksum(json, json.length));
    CRC32C seal = new CRC32C();
    seal.update(prologue.sealed());
    writeFully(prologue.toBytes());
    writeFully(ByteBuffer.wrap(json));

    ByteBuffer table = ByteBuffer.allocate(4 * sections.blocks() + CacheSections.SEAL_BYTES);
    table.order(ByteOrder.LITTLE_ENDIAN);
    List<KvRuns> body = body(snapshot);
    for (int i = 0; i < body.size(); i++) {
      writeBlocks(sections.all().get(i), body.get(i), table);
    }
    seal.update(table.duplicate().flip());
    table.putInt((int) seal.getValue());
    writeFully(table.flip());
    return sections.end();
  }

  private static byte[] padded(byte[] json) {
    int behind = CachePrologue.BYTES + json.length;
    byte[] padded = Arrays.copyOf(json, json.length + Math.floorMod(-behind, ALIGNMENT));
    Arrays.fill(padded, json.length, padded.length, (byte) ' ');
    return padded;
  }

  private List<KvRuns> body(KvSnapshot snapshot) {
    int first = header.firstId();
    ByteBuffer ids = ByteBuffer.allocate(4 * (header.tokens() - first));
    ids.order(ByteOrder.LITTLE_ENDIAN)
        .asIntBuffer()
        .put(snapshot.tokens(), first, header.tokens() - first);
    List<KvRuns> body = new ArrayList<>();
    body.add(KvRuns.all(ids));
    for (int i = 0; i < header.spans().size(); i++) {
      body.addAll(KvRuns.of(snapshot, i, header.spans().get(i)));
    }
    return body;
  }

  private void writeBlocks(Section section, KvRuns runs, ByteBuffer table) throws IOException {
    if (runs.bytes() != section.bytes()) {
      throw new AssertionError(section + " has " + runs.bytes() + " bytes");
    }
    CRC32C crc = new CRC32C();
    for (int start = 0; start < section.bytes(); start += block.capacity()) {
      block.clear();
      runs.each(start, Math.min(block.capacity(), section.bytes() - start), block::put);
      block.flip();
      crc.reset();
      crc.update(block.duplicate());
      table.putInt((int) crc.getValue());
      writeFully(block);
    }
  }

  private void writeFully(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
