package dev.semantic.cache;

import dev.semantic.cache.CacheHeader.Agent;
import dev.semantic.memory.ByteSize;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Reads single cache files, without a store and without changing anything. */
final class EntryReader {
  private EntryReader() {}

  static CacheHeader header(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return CacheFileReader.open(channel).header();
    }
  }

  /** What the header says; its blocks are counted where they lie beside it. */
  static ParkedCache describe(Path file, CacheHeader header) throws IOException {
    Agent agent = header.agent();
    long size = AgentFiles.sizeOf(file);
    for (BlockName name : agent.blocks()) {
      size += AgentFiles.sizeOf(blocks(file).resolve(name.file()));
    }
    return new ParkedCache(
        agent.id(), header.tag(), header.tokens(), new ByteSize(size), header.parked());
  }

  static CacheDetails details(Path file) throws IOException {
    CacheHeader header = header(file);
    return new CacheDetails(
        header.layout(), header.precision(), CacheHeader.EXACT, header.agent().blocks().size());
  }

  /** All of it, every checksum verified. */
  static KvSnapshot snapshot(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
        SnapshotReader reader = new SnapshotReader(blocks(file))) {
      return reader.read(CacheFileReader.open(channel));
    }
  }

  private static Path blocks(Path file) {
    return file.resolveSibling(CacheFileNames.BLOCKS);
  }
}
