package dev.semantic.store.directory;

import dev.semantic.io.DurableFiles;
import dev.semantic.io.PrivateFiles;
import dev.semantic.io.Reason;
import dev.semantic.kv.BlockName;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.kv.KvSnapshotHeader;
import dev.semantic.kv.KvTarget;
import dev.semantic.log.Log;
import dev.semantic.store.format.CacheFileException;
import dev.semantic.store.format.CacheFileNames;
import dev.semantic.store.format.CacheFileReader;
import dev.semantic.store.format.CacheFormat;
import dev.semantic.store.format.CacheHeader;
import dev.semantic.store.format.SnapshotReader;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * One model's directory in a cache root: a file per agent, and the blocks that these refer to. A
 * block is written once, however often an agent is parked and however many agents begin alike.
 * Callers see to it that no two threads use the same agent's file at a time.
 */
public final class TagDirectory {
  private static final Log LOG = Log.of(TagDirectory.class);

  private final Path path;
  private final Path blocks;
  private final CacheFormat form;
  private final BlockRefs refs;

  /** When each agent's file was parked. */
  private final Map<Path, Instant> parked = new ConcurrentHashMap<>();

  private TagDirectory(Path path, CacheFormat form) {
    this.path = path;
    this.blocks = path.resolve(CacheFileNames.BLOCKS);
    this.form = form;
    this.refs = new BlockRefs(this::removeBlock);
  }

  /**
   * Looks through the directory, which may not be there yet, and removes what has expired and what
   * nobody refers to.
   */
  static TagDirectory open(Path path, CacheFormat form) {
    TagDirectory directory = new TagDirectory(path, form);
    directory.index();
    return directory;
  }

  public Path path() {
    return path;
  }

  CacheFormat form() {
    return form;
  }

  BlockRefs refs() {
    return refs;
  }

  Path block(BlockName name) {
    return blocks.resolve(name.file());
  }

  private void index() {
    List<CacheFileException> locked = new ArrayList<>();
    try {
      for (Path file : RootLayout.agents(path)) {
        refer(file, locked);
      }
      for (Path file : RootLayout.blocks(path)) {
        refs.add(BlockName.of(file));
      }
    } catch (IOException | IllegalArgumentException e) {
      LOG.debug("Cannot tell what is used in {}: all of it stays", path, e);
      refs.keepEverything();
    }
    refs.sweep();
    if (!locked.isEmpty()) {
      LOG.warn(
          "Not using caches in {}, {} of them: {}. They stay and count as absent.",
          path,
          locked.size(),
          locked.getFirst().getMessage());
    }
  }

  private void refer(Path file, List<CacheFileException> locked) {
    try {
      CacheHeader header;
      try (FileChannel channel = PrivateFiles.open(file, Set.of(StandardOpenOption.READ))) {
        header = form.open(channel).header();
      }
      List<BlockName> used = header.agent().blocks();
      refs.pin(used);
      refs.refer(file, used);
      parked.put(file, header.parked());
    } catch (CacheFileException e) {
      switch (e.kind()) {
        case EXPIRED -> expire(file, e);
        case LOCKED -> {
          locked.add(e);
          refs.keepEverything();
        }
        default -> keepFor(file, e);
      }
    } catch (IOException e) {
      keepFor(file, e);
    }
  }

  private void keepFor(Path file, IOException why) {
    LOG.debug("Cannot tell what {} refers to: all blocks stay", file, why);
    refs.keepEverything();
  }

  /** The agents' files that have been here for longer than caches are to live. */
  public List<Path> expired() {
    return parked.entrySet().stream()
        .filter(entry -> form.isOld(entry.getValue()))
        .map(Map.Entry::getKey)
        .toList();
  }

  /** Removes an agent's file of this directory, and the blocks that only it refers to. */
  void expire(Path file, CacheFileException why) {
    if (path.equals(file.getParent())) {
      try {
        Files.deleteIfExists(file);
        DurableFiles.force(path);
        removed(file);
        LOG.info("Removed cache {}: {}", file, why.getMessage());
      } catch (IOException e) {
        LOG.warn(
            "Cannot remove cache {}, which counts as absent: {}. {}",
            file,
            why.getMessage(),
            Reason.of(e));
      }
    }
  }

  public KvSnapshot load(CacheFileReader reader) throws IOException {
    try (SnapshotReader snapshot = new SnapshotReader(blocks, form)) {
      return snapshot.read(reader);
    }
  }

  public Optional<KvSnapshotHeader> read(CacheFileReader reader, KvTarget memory)
      throws IOException {
    try (SnapshotReader snapshot = new SnapshotReader(blocks, form)) {
      return snapshot.read(reader, memory);
    }
  }

  /**
   * The longest beginning of {@code tokens} that is there in whole blocks, whoever parked it.
   * Without layers of a sliding window only: blocks don't hold those.
   */
  public Optional<KvSnapshot> prefix(List<String> chain) throws IOException {
    List<BlockName> found = new ArrayList<>();
    synchronized (refs) {
      for (String hash : chain) {
        Optional<BlockName> block = refs.of(hash);
        if (block.isEmpty()) {
          break;
        }
        found.add(block.get());
      }
      refs.pin(found);
    }
    try (SnapshotReader snapshot = new SnapshotReader(blocks, form)) {
      return found.isEmpty() ? Optional.empty() : Optional.of(snapshot.readPrefix(found));
    } finally {
      refs.unpin(found);
    }
  }

  /** Several agents' caches that are to be written here. */
  public ParkingBatch batch() {
    return new ParkingBatch(this, form);
  }

  Path blocks() {
    return blocks;
  }

  /** The agent's file is here since then. */
  void parked(Path file, Instant when) {
    parked.put(file, when);
  }

  /**
   * Bytes of the blocks that an agent's file refers to; empty if one of them is gone, and then it
   * cannot be loaded.
   *
   * @param sizes of blocks that are known already; gains those that were not
   */
  public OptionalLong bytesOfBlocks(CacheHeader.Agent agent, Map<BlockName, Long> sizes)
      throws IOException {
    long bytes = 0;
    for (BlockName name : agent.blocks()) {
      Long known = sizes.get(name);
      long its = known == null ? AgentFiles.sizeOf(block(name)) : known;
      if (its == 0) {
        LOG.debug("Block {} of {} is not there", name, agent.id());
        return OptionalLong.empty();
      }
      sizes.put(name, its);
      bytes += its;
    }
    return OptionalLong.of(bytes);
  }

  /** The agent's file is gone, and with it what only it referred to. */
  void removed(Path file) {
    parked.remove(file);
    refs.forget(file);
  }

  /** The block is not to be used any more. */
  void lost(Path block) {
    if (blocks.equals(block.getParent())) {
      refs.lost(BlockName.of(block));
    }
  }

  private void removeBlock(BlockName name) {
    try {
      Files.deleteIfExists(blocks.resolve(name.file()));
    } catch (IOException e) {
      LOG.warn("Cannot remove {}, which nobody needs any more: {}", name, e.getMessage());
    }
  }
}
