package dev.semantic.store;

import dev.semantic.kv.BlockName;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.memory.ByteSize;
import dev.semantic.store.CacheHeader.Agent;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Optional;

/**
 * Reads single cache files, without a store and without changing anything.
 *
 * @param form what is to be read is like; only its key counts, and what has expired is read too
 */
record EntryReader(CacheFormat form) {
  CacheHeader header(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return open(channel).header();
    }
  }

  /** What the header says; its blocks are counted where they lie beside it. */
  ParkedCache describe(Path file, CacheHeader header) throws IOException {
    Agent agent = header.agent();
    long size = AgentFiles.sizeOf(file);
    for (BlockName name : agent.blocks()) {
      size += AgentFiles.sizeOf(blocks(file).resolve(name.file()));
    }
    return new ParkedCache(
        agent.id(), header.tag(), header.tokens(), new ByteSize(size), header.parked());
  }

  CacheDetails details(Path file) throws IOException {
    CacheHeader header = header(file);
    return new CacheDetails(
        header.layout(),
        header.precision(),
        header.encoding(),
        header.agent().blocks().size(),
        header.agent().imported());
  }

  /** All of it, every checksum verified. */
  KvSnapshot snapshot(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
        SnapshotReader reader = new SnapshotReader(blocks(file), form)) {
      return reader.read(open(channel));
    }
  }

  /** Does something with a cache that is open. */
  @FunctionalInterface
  interface Use<T> {
    T of(SnapshotReader.Layers cache) throws IOException;
  }

  /** Opens it, every header verified, to be read layer by layer. */
  <T> T layers(Path file, Use<T> use) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
        SnapshotReader reader = new SnapshotReader(blocks(file), form)) {
      return use.of(reader.layers(open(channel)));
    }
  }

  private CacheFileReader open(FileChannel channel) throws IOException {
    return CacheFileReader.open(channel, form.key());
  }

  /** When an agent's cache was parked; empty if the file does not tell. */
  Optional<Instant> parked(Path file) throws IOException {
    try {
      return Optional.of(header(file).parked());
    } catch (CacheFileException | NoSuchFileException e) {
      return Optional.empty();
    }
  }

  private static Path blocks(Path file) {
    return file.resolveSibling(CacheFileNames.BLOCKS);
  }
}
