package dev.semantic.store.format;

import dev.semantic.kv.KvEncoding;
import dev.semantic.store.format.FileJobs.Job;
import dev.semantic.store.format.SectionTable.Section;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Reads one cache file and believes nothing in it before its checksum holds and its lengths fit the
 * file. An {@link IOException} other than {@link CacheFileException} means that the file could not
 * be read, not that it is bad.
 */
public final class CacheFileReader {
  private final FileChannel channel;
  private FileBytes bytes;
  private final FileMagic magic;
  private final CacheHeader header;
  private final SectionTable sectionTable;

  /** Null for a file that is not encrypted. */
  private final @Nullable FileCipher cipher;

  private CacheFileReader(
      FileChannel channel,
      FileMagic magic,
      CacheHeader header,
      SectionTable sectionTable,
      @Nullable FileCipher cipher) {
    this.channel = channel;
    this.bytes = FileBytes.of(channel);
    this.magic = magic;
    this.header = header;
    this.sectionTable = sectionTable;
    this.cipher = cipher;
  }

  /** Refuses what was parked at some time, before anything is decrypted. */
  @FunctionalInterface
  interface Age {
    Age ANY = parked -> {};

    void check(Instant parked) throws CacheFileException;
  }

  /** Reads and checks the header of a file of any age. */
  static CacheFileReader open(FileChannel channel, @Nullable FileKeys key) throws IOException {
    return open(channel, key, Age.ANY);
  }

  /**
   * Reads and checks the header, and that the file is as long as the header makes it.
   *
   * @param key what it is encrypted with; null: it is not
   * @throws CacheFileException {@link CacheFileException.Kind#LOCKED} if it is encrypted with
   *     another key or with none
   */
  static CacheFileReader open(FileChannel channel, @Nullable FileKeys key, Age age)
      throws IOException {
    long size = channel.size();
    if (size < FileMagic.BYTES) {
      throw CacheFileException.damaged(
          "it has %d bytes, a cache file at least %d".formatted(size, FileMagic.BYTES));
    }
    FileMagic magic = FileMagic.parse(read(channel, "the prologue", 0, FileMagic.BYTES));
    long body = FileMagic.BYTES + (long) magic.headerBytes();
    if (size < body) {
      throw CacheFileException.damaged(
          "it has %d bytes, its header alone ends at %d".formatted(size, body));
    }
    byte[] json = read(channel, "the header", FileMagic.BYTES, magic.headerBytes()).array();
    FileMagic.expectChecksum(
        "the header at offset " + FileMagic.BYTES,
        magic.headerChecksum(),
        FileMagic.checksum(json, json.length));
    Optional<EncryptionHeader> envelope = EncryptionHeader.read(json);
    if (envelope.isPresent()) {
      age.check(envelope.get().parked());
      return openSealed(channel, magic, json, envelope.get(), key);
    }
    CacheHeader header = HeaderFields.read(json, CacheHeader::parse);
    age.check(header.parked());
    if (key != null) {
      throw locked("it is not encrypted; a store with a key uses only what is");
    }
    SectionTable sectionTable = sections(header, body, size, false);
    return new CacheFileReader(channel, magic, header, sectionTable, null);
  }

  private static CacheFileReader openSealed(
      FileChannel channel,
      FileMagic magic,
      byte[] json,
      EncryptionHeader encryption,
      @Nullable FileKeys key)
      throws IOException {
    if (key == null || !key.id().equals(encryption.key())) {
      throw locked(
          "it is encrypted with cache key %s; this store has %s"
              .formatted(encryption.key(), key == null ? "no key" : key));
    }
    long size = channel.size();
    long body = encryption.end(json.length);
    if (size < body) {
      throw CacheFileException.damaged(
          "it has %d bytes, its encrypted header alone ends at %d".formatted(size, body));
    }
    FileCipher cipher = encryption.cipher(key, magic, json);
    int sealedBytes = encryption.headerBytes() + FileCipher.TAG_BYTES;
    long offset = body - sealedBytes;
    ByteBuffer secret = ByteBuffer.allocate(encryption.headerBytes());
    cipher.open(
        "the encrypted header at offset " + offset,
        0,
        read(channel, "the encrypted header", offset, sealedBytes),
        secret);
    CacheHeader header = HeaderFields.read(secret.array(), CacheHeader::parse);
    SectionTable sectionTable = sections(header, body, size, true);
    return new CacheFileReader(channel, magic, header, sectionTable, cipher);
  }

  private static SectionTable sections(CacheHeader header, long body, long size, boolean sealed)
      throws CacheFileException {
    SectionTable sectionTable = SectionTable.after(body, header, sealed);
    if (size != sectionTable.end()) {
      throw CacheFileException.damaged(
          "it has %d bytes, by its header it should have %d".formatted(size, sectionTable.end()));
    }
    return sectionTable;
  }

  private static CacheFileException locked(String message) {
    return new CacheFileException(CacheFileException.Kind.LOCKED, message);
  }

  public CacheHeader header() {
    return header;
  }

  /** Reads and checks the ids of the tokens from the header's {@code firstId} on. */
  int[] ids() throws IOException {
    Section section = sectionTable.all().getFirst();
    ByteBuffer bytes = ByteBuffer.allocate(section.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    read(section, KvSlices.all(bytes), table());
    int[] ids = new int[section.bytes() / 4];
    bytes.asIntBuffer().get(ids);
    return ids;
  }

  /**
   * Checks the seal.
   *
   * @param targets where each layer's keys and values go, as they are in memory, in the order of
   *     the file
   * @return a job for each of them, that reads and checks it; in any order, by any thread
   */
  List<Job> jobs(List<KvSlices> targets) throws IOException {
    Numbers numbers = numbers();
    List<Job> jobs = new ArrayList<>();
    for (int i = 0; i < targets.size(); i++) {
      int index = i;
      jobs.add(() -> numbers.read(index, targets.get(index)));
    }
    return jobs;
  }

  /** Each layer's keys and values, in the order of the file; by any thread. */
  @FunctionalInterface
  interface Numbers {
    /** Reads and checks one of them. */
    void read(int index, KvSlices target) throws IOException;
  }

  /** Checks the seal; nothing else is read before it is asked for. */
  Numbers numbers() throws IOException {
    ByteBuffer table = table();
    bytes = FileBytes.mapped(channel);
    return (index, target) -> {
      int headDim = header.layout().layers().get(index / 2).headDim();
      read(sectionTable.all().get(1 + index), target, headDim, table);
    };
  }

  /** The block checksums, sealed together with the prologue, which seals the header. */
  private ByteBuffer table() throws IOException {
    if (cipher != null) {
      return ByteBuffer.allocate(0);
    }
    ByteBuffer table =
        read(
            channel,
            "the checksums",
            sectionTable.table(),
            4 * sectionTable.blocks() + SectionTable.SEAL_BYTES);
    table.order(ByteOrder.LITTLE_ENDIAN);
    int sealed = table.limit() - SectionTable.SEAL_BYTES;
    CRC32C seal = new CRC32C();
    seal.update(magic.sealed());
    seal.update(table.slice(0, sealed));
    FileMagic.expectChecksum(
        "the table of checksums at offset " + sectionTable.table(),
        table.getInt(sealed),
        (int) seal.getValue());
    return table;
  }

  private void read(Section section, KvSlices target, int headDim, ByteBuffer table)
      throws IOException {
    if (header.encoding() == KvEncoding.EXACT) {
      read(section, target, table);
      return;
    }
    ByteBuffer written = ByteBuffer.allocate(section.bytes());
    read(section, KvSlices.all(written), table);
    QuantizedRows rows = new QuantizedRows(header.encoding(), header.precision(), headDim);
    target.each(run -> rows.decode(written, run));
  }

  private void read(Section section, KvSlices target, ByteBuffer table) throws IOException {
    ByteBuffer sealed =
        ByteBuffer.allocate(
            cipher == null
                ? 0
                : Math.min(header.blockBytes(), section.bytes()) + FileCipher.TAG_BYTES);
    ByteBuffer plain = ByteBuffer.allocate(sealed.capacity());
    int block = section.firstBlock();
    long offset = section.offset();
    for (int start = 0; start < section.bytes(); start += header.blockBytes(), block++) {
      int length = Math.min(header.blockBytes(), section.bytes() - start);
      String what =
          "%s, block %d at offset %d"
              .formatted(section.name(), block - section.firstBlock(), offset);
      if (cipher == null) {
        int found = readOpen(section.name(), offset, start, length, target);
        FileMagic.expectChecksum(what, table.getInt(4 * block), found);
        offset += length;
      } else {
        sealed.clear().limit(length + FileCipher.TAG_BYTES);
        bytes.read(section.name(), offset, sealed);
        offset += sealed.position();
        cipher.open(what, 1L + block, sealed.flip(), plain.clear());
        plain.flip();
        target.each(start, length, piece -> piece.put(next(plain, piece.remaining())));
      }
    }
  }

  private static ByteBuffer next(ByteBuffer bytes, int length) {
    ByteBuffer next = bytes.slice(bytes.position(), length);
    bytes.position(bytes.position() + length);
    return next;
  }

  /** Reads one block to where it belongs, without a copy between, and computes its checksum. */
  private int readOpen(String name, long offset, int start, int length, KvSlices target)
      throws IOException {
    CRC32C crc = new CRC32C();
    long[] at = {offset};
    target.each(
        start,
        length,
        piece -> {
          bytes.read(name, at[0], piece.duplicate());
          at[0] += piece.remaining();
          crc.update(piece);
        });
    return (int) crc.getValue();
  }

  private static ByteBuffer read(FileChannel channel, String what, long offset, int length)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    FileBytes.of(channel).read(what, offset, bytes);
    return bytes.flip();
  }
}
