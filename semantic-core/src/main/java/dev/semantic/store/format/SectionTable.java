package dev.semantic.store.format;

import dev.semantic.model.KvLayout;
import dev.semantic.store.format.CacheHeader.Span;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a cache file's body lies: the tokens, then each layer's keys and values, without gaps, then
 * the checksums of all their blocks; or, if it is encrypted, each block with a tag behind it and
 * nothing behind the last. Made of a header whose numbers nobody vouches for.
 *
 * @param all in the order of the file
 * @param blocks how many there are
 * @param end offset just behind the whole file
 */
public record SectionTable(List<Section> all, int blocks, long end) {
  /** Behind the block checksums: the checksum over them. */
  static final int SEAL_BYTES = 4;

  /**
   * A run of bytes.
   *
   * @param name for people
   * @param bytes of what is in it; tags are not counted
   * @param firstBlock index of its first block
   */
  public record Section(String name, long offset, int bytes, int firstBlock) {}

  public SectionTable {
    all = List.copyOf(all);
  }

  /** Offset of the block checksums. */
  public long table() {
    return end - SEAL_BYTES - 4L * blocks;
  }

  /**
   * The sections of a file whose header ends at {@code offset}.
   *
   * @param sealed whether they are encrypted
   * @throws CacheFileException if no file could hold them
   */
  public static SectionTable after(long offset, CacheHeader header, boolean sealed)
      throws CacheFileException {
    Layout layout = new Layout(offset, header.blockBytes(), sealed);
    int ids = header.tokens() - header.firstId();
    if (ids < 0) {
      throw CacheFileException.writtenWrong(
          "it begins at token %d and ends at %d".formatted(header.firstId(), header.tokens()));
    }
    layout.add("tokens", 4L * ids);
    for (int i = 0; i < header.spans().size(); i++) {
      Span span = header.spans().get(i);
      KvLayout.Layer layer = header.layout().layers().get(i);
      long bytes;
      try {
        bytes = Math.multiplyExact((long) layer.kvHeads() * span.length(), header.rowBytes(i));
      } catch (ArithmeticException e) {
        bytes = Long.MAX_VALUE;
      }
      layout.add("layer " + i + " keys", bytes);
      layout.add("layer " + i + " values", bytes);
    }
    return layout.done();
  }

  private static final class Layout {
    private final List<Section> sections = new ArrayList<>();
    private final int blockBytes;
    private final boolean sealed;
    private long offset;
    private long blocks;

    Layout(long offset, int blockBytes, boolean sealed) {
      this.offset = offset;
      this.blockBytes = blockBytes;
      this.sealed = sealed;
    }

    void add(String name, long bytes) throws CacheFileException {
      if (bytes > Integer.MAX_VALUE || blocks > Integer.MAX_VALUE / 4 - 1) {
        throw CacheFileException.writtenWrong(
            "%s would take %d bytes; one section has at most %d"
                .formatted(name, bytes, Integer.MAX_VALUE));
      }
      sections.add(new Section(name, offset, (int) bytes, (int) blocks));
      long more = Math.ceilDiv(bytes, (long) blockBytes);
      offset += bytes + (sealed ? more * FileCipher.TAG_BYTES : 0);
      blocks += more;
    }

    SectionTable done() throws CacheFileException {
      if (blocks > Integer.MAX_VALUE / 4 - 1) {
        throw CacheFileException.writtenWrong(blocks + " blocks are more than a file can have");
      }
      long table = sealed ? 0 : 4 * blocks + SEAL_BYTES;
      return new SectionTable(sections, (int) blocks, offset + table);
    }
  }
}
