package dev.semantic.cache;

import dev.semantic.cache.CacheSections.Section;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** Writes one cache file from front to back, in the form that {@link CacheFileReader} reads. */
final class CacheFileWriter {
  private final WritableByteChannel channel;
  private final CacheHeader header;

  /** Outside the heap, where neither the checksum nor the channel needs a copy of its own. */
  private final ByteBuffer block;

  private CacheFileWriter(WritableByteChannel channel, CacheHeader header) {
    this.channel = channel;
    this.header = header;
    this.block = ByteBuffer.allocateDirect(header.blockBytes());
  }

  /** Takes the blocks in the order of the file. */
  @FunctionalInterface
  private interface Blocks {
    void write(ByteBuffer block) throws IOException;
  }

  /**
   * Writes what {@code header} says of {@code snapshot}.
   *
   * @param key encrypts it; null: it is not
   * @return bytes of the file
   */
  static long write(
      WritableByteChannel channel, CacheHeader header, KvSnapshot snapshot, @Nullable CacheKey key)
      throws IOException {
    CacheFileWriter writer = new CacheFileWriter(channel, header);
    return key == null ? writer.write(snapshot) : writer.writeSealed(snapshot, key);
  }

  private long write(KvSnapshot snapshot) throws IOException {
    byte[] json = header.toJson(CachePrologue.BYTES);
    CacheSections sections =
        CacheSections.after(CachePrologue.BYTES + (long) json.length, header, false);
    CRC32C seal = new CRC32C();
    seal.update(writeOpen(json).sealed());
    ByteBuffer table = ByteBuffer.allocate(4 * sections.blocks() + CacheSections.SEAL_BYTES);
    table.order(ByteOrder.LITTLE_ENDIAN);
    CRC32C crc = new CRC32C();
    writeAll(
        sections,
        snapshot,
        bytes -> {
          crc.reset();
          crc.update(bytes.duplicate());
          table.putInt((int) crc.getValue());
          writeFully(bytes);
        });
    seal.update(table.duplicate().flip());
    table.putInt((int) seal.getValue());
    writeFully(table.flip());
    return sections.end();
  }

  private long writeSealed(KvSnapshot snapshot, CacheKey key) throws IOException {
    byte[] secret = header.toJson(0);
    CacheEnvelope envelope = CacheEnvelope.around(header, key, secret.length);
    byte[] json = envelope.toJson();
    CachePrologue prologue = writeOpen(json);
    FileCipher cipher = envelope.cipher(key, prologue, json);
    ByteBuffer sealed =
        ByteBuffer.allocate(Math.max(secret.length, block.capacity()) + FileCipher.TAG_BYTES);
    cipher.seal(0, ByteBuffer.wrap(secret), sealed);
    writeFully(sealed.flip());
    CacheSections sections = CacheSections.after(envelope.end(json.length), header, true);
    long[] piece = {0};
    writeAll(
        sections,
        snapshot,
        bytes -> {
          cipher.seal(++piece[0], bytes, sealed.clear());
          writeFully(sealed.flip());
        });
    return sections.end();
  }

  private CachePrologue writeOpen(byte[] json) throws IOException {
    if (json.length > CachePrologue.MOST_HEADER_BYTES) {
      throw new IOException("a header of " + json.length + " bytes is too long");
    }
    CachePrologue prologue =
        new CachePrologue(
            CachePrologue.VERSION, json.length, CachePrologue.checksum(json, json.length));
    writeFully(prologue.toBytes());
    writeFully(ByteBuffer.wrap(json));
    return prologue;
  }

  private void writeAll(CacheSections sections, KvSnapshot snapshot, Blocks blocks)
      throws IOException {
    List<KvRuns> body = body(snapshot);
    for (int i = 0; i < body.size(); i++) {
      write(sections.all().get(i), body.get(i), blocks);
    }
  }

  private List<KvRuns> body(KvSnapshot snapshot) {
    int first = header.firstId();
    ByteBuffer ids = ByteBuffer.allocate(4 * (header.tokens() - first));
    ids.order(ByteOrder.LITTLE_ENDIAN)
        .asIntBuffer()
        .put(snapshot.tokens(), first, header.tokens() - first);
    List<KvRuns> body = new ArrayList<>();
    body.add(KvRuns.all(ids));
    IntStream.range(0, header.spans().size())
        .parallel() // several threads quantise faster than one
        .mapToObj(i -> KvRuns.of(snapshot, header.encoding(), i, header.spans().get(i)))
        .toList()
        .forEach(body::addAll);
    return body;
  }

  private void write(Section section, KvRuns runs, Blocks blocks) throws IOException {
    if (runs.bytes() != section.bytes()) {
      throw new AssertionError(section + " has " + runs.bytes() + " bytes");
    }
    for (int start = 0; start < section.bytes(); start += block.capacity()) {
      block.clear();
      runs.each(start, Math.min(block.capacity(), section.bytes() - start), block::put);
      blocks.write(block.flip());
    }
  }

  private void writeFully(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
