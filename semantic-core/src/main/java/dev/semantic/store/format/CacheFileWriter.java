package dev.semantic.store.format;

import dev.semantic.kv.KvSnapshot;
import dev.semantic.kv.KvSnapshot.LayerKv;
import dev.semantic.store.format.SectionTable.Section;
import dev.semantic.timeline.Parallel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** Writes one cache file from front to back, in the form that {@link CacheFileReader} reads. */
public final class CacheFileWriter {
  private final WritableByteChannel channel;
  private final CacheHeader header;
  private final int[] tokens;
  private final Layers layers;

  /** Outside the heap, where neither the checksum nor the channel needs a copy of its own. */
  private final ByteBuffer block;

  private CacheFileWriter(
      WritableByteChannel channel,
      CacheHeader header,
      int[] tokens,
      Layers layers,
      int bufferBytes) {
    this.channel = channel;
    this.header = header;
    this.tokens = tokens;
    this.layers = layers;
    this.block = ByteBuffer.allocateDirect(bufferBytes);
  }

  /** Takes the blocks in the order of the file. */
  @FunctionalInterface
  private interface Blocks {
    void write(ByteBuffer block) throws IOException;
  }

  /** What is written, in parts that need not be there at once. */
  interface Body {
    int[] tokens();

    /** Asked for once each, in their order. */
    LayerKv layer(int index) throws IOException;
  }

  /** A layer's keys, and its values, as they are written. */
  @FunctionalInterface
  private interface Layers {
    List<KvSlices> of(int index) throws IOException;
  }

  /**
   * Writes what {@code header} says of {@code snapshot}.
   *
   * @param key encrypts it; null: it is not
   * @return bytes of the file
   */
  public static long write(
      WritableByteChannel channel, CacheHeader header, KvSnapshot snapshot, @Nullable FileKeys key)
      throws IOException {
    List<List<KvSlices>> all =
        Parallel.map( // several threads quantise faster than one
            header.spans().size(), i -> written(header, i, snapshot.layers().get(i)));
    return write(channel, header, snapshot.tokens(), all::get, key);
  }

  /** The same of a body, of which one layer at a time is held. */
  public static long write(
      WritableByteChannel channel, CacheHeader header, Body body, @Nullable FileKeys key)
      throws IOException {
    return write(channel, header, body.tokens(), i -> written(header, i, body.layer(i)), key);
  }

  private static List<KvSlices> written(CacheHeader header, int layer, LayerKv numbers) {
    return KvSlices.of(
        numbers,
        header.layout().layers().get(layer),
        header.precision(),
        header.encoding(),
        header.spans().get(layer));
  }

  private static long write(
      WritableByteChannel channel,
      CacheHeader header,
      int[] tokens,
      Layers layers,
      @Nullable FileKeys key)
      throws IOException {
    int largest =
        SectionTable.after(0, header, false).all().stream()
            .mapToInt(Section::bytes)
            .max()
            .orElse(0);
    int bufferBytes = Math.min(header.blockBytes(), Math.max(1, largest));
    CacheFileWriter writer = new CacheFileWriter(channel, header, tokens, layers, bufferBytes);
    return key == null ? writer.write() : writer.writeSealed(key);
  }

  private long write() throws IOException {
    byte[] json = header.toJson(FileMagic.BYTES);
    SectionTable sectionTable =
        SectionTable.after(FileMagic.BYTES + (long) json.length, header, false);
    CRC32C seal = new CRC32C();
    seal.update(writeOpen(json).sealed());
    ByteBuffer table = ByteBuffer.allocate(4 * sectionTable.blocks() + SectionTable.SEAL_BYTES);
    table.order(ByteOrder.LITTLE_ENDIAN);
    CRC32C crc = new CRC32C();
    writeAll(
        sectionTable,
        bytes -> {
          crc.reset();
          crc.update(bytes.duplicate());
          table.putInt((int) crc.getValue());
          writeFully(bytes);
        });
    seal.update(table.duplicate().flip());
    table.putInt((int) seal.getValue());
    writeFully(table.flip());
    return sectionTable.end();
  }

  private long writeSealed(FileKeys key) throws IOException {
    byte[] secret = header.toJson(0);
    EncryptionHeader encryption = EncryptionHeader.around(header, key, secret.length);
    byte[] json = encryption.toJson();
    FileMagic magic = writeOpen(json);
    FileCipher cipher = encryption.cipher(key, magic, json);
    ByteBuffer sealed =
        ByteBuffer.allocate(Math.max(secret.length, block.capacity()) + FileCipher.TAG_BYTES);
    cipher.seal(0, ByteBuffer.wrap(secret), sealed);
    writeFully(sealed.flip());
    SectionTable sectionTable = SectionTable.after(encryption.end(json.length), header, true);
    long[] piece = {0};
    writeAll(
        sectionTable,
        bytes -> {
          cipher.seal(++piece[0], bytes, sealed.clear());
          writeFully(sealed.flip());
        });
    return sectionTable.end();
  }

  private FileMagic writeOpen(byte[] json) throws IOException {
    if (json.length > FileMagic.MOST_HEADER_BYTES) {
      throw new IOException("a header of " + json.length + " bytes is too long");
    }
    FileMagic magic =
        new FileMagic(FileMagic.VERSION, json.length, FileMagic.checksum(json, json.length));
    writeFully(magic.toBytes());
    writeFully(ByteBuffer.wrap(json));
    return magic;
  }

  private void writeAll(SectionTable sectionTable, Blocks blocks) throws IOException {
    write(sectionTable.all().getFirst(), ids(), blocks);
    for (int i = 0; i < header.spans().size(); i++) {
      List<KvSlices> layer = layers.of(i);
      write(sectionTable.all().get(1 + 2 * i), layer.getFirst(), blocks);
      write(sectionTable.all().get(2 + 2 * i), layer.getLast(), blocks);
    }
  }

  private KvSlices ids() {
    int first = header.firstId();
    ByteBuffer ids = ByteBuffer.allocate(4 * (header.tokens() - first));
    ids.order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().put(tokens, first, header.tokens() - first);
    return KvSlices.all(ids);
  }

  private void write(Section section, KvSlices slices, Blocks blocks) throws IOException {
    if (slices.bytes() != section.bytes()) {
      throw new AssertionError(section + " has " + slices.bytes() + " bytes");
    }
    for (int start = 0; start < section.bytes(); start += block.capacity()) {
      block.clear();
      slices.each(start, Math.min(block.capacity(), section.bytes() - start), block::put);
      blocks.write(block.flip());
    }
  }

  private void writeFully(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
