package dev.semantic.cache;

import dev.semantic.cache.CacheHeader.Span;
import dev.semantic.cache.FileJobs.Job;
import dev.semantic.log.Log;
import dev.semantic.memory.ByteSize;
import dev.semantic.timeline.Parallel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * One model's directory in a cache root: a file per agent, and the blocks that these refer to. A
 * block is written once, however often an agent is parked and however many agents begin alike.
 * Callers see to it that no two threads use the same agent's file at a time.
 */
final class TagDirectory {
  private static final Log LOG = Log.of(TagDirectory.class);
  private static final int CONTENT_BYTES = 8;

  private final Path path;
  private final Path blocks;
  private final CacheForm form;
  private final Shelf shelf;

  /** When each agent's file was parked. */
  private final Map<Path, Instant> parked = new ConcurrentHashMap<>();

  private TagDirectory(Path path, CacheForm form) {
    this.path = path;
    this.blocks = path.resolve(CacheFileNames.BLOCKS);
    this.form = form;
    this.shelf = new Shelf(this::removeBlock);
  }

  /**
   * Looks through the directory, which may not be there yet, and removes what has expired and what
   * nobody refers to.
   */
  static TagDirectory open(Path path, CacheForm form) {
    TagDirectory directory = new TagDirectory(path, form);
    directory.index();
    return directory;
  }

  Path path() {
    return path;
  }

  /** Reads single files of it. */
  EntryReader reader() {
    return new EntryReader(form);
  }

  Shelf shelf() {
    return shelf;
  }

  Path block(BlockName name) {
    return blocks.resolve(name.file());
  }

  private void index() {
    List<CacheFileException> locked = new ArrayList<>();
    try {
      for (Path file : list(path, CacheFileNames.CACHE_SUFFIX)) {
        refer(file, locked);
      }
      for (Path file : list(blocks, BlockName.SUFFIX)) {
        shelf.add(BlockName.of(file));
      }
    } catch (IOException | IllegalArgumentException e) {
      LOG.debug("Cannot tell what is used in {}: all of it stays", path, e);
      shelf.keepEverything();
    }
    shelf.sweep();
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
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
        header = form.open(channel).header();
      }
      List<BlockName> used = header.agent().blocks();
      shelf.pin(used);
      shelf.refer(file, used);
      parked.put(file, header.parked());
    } catch (CacheFileException e) {
      switch (e.kind()) {
        case EXPIRED -> expire(file, e);
        case LOCKED -> {
          locked.add(e);
          shelf.keepEverything();
        }
        default -> keepFor(file, e);
      }
    } catch (IOException e) {
      keepFor(file, e);
    }
  }

  private void keepFor(Path file, IOException why) {
    LOG.debug("Cannot tell what {} refers to: all blocks stay", file, why);
    shelf.keepEverything();
  }

  /** The agents' files that have been here for longer than caches are to live. */
  List<Path> expired() {
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
        CacheFiles.force(path);
        removed(file);
        LOG.info("Removed cache {}: {}", file, why.getMessage());
      } catch (IOException e) {
        LOG.warn(
            "Cannot remove cache {}, which counts as absent: {}. {}",
            file,
            why.getMessage(),
            CacheFiles.reason(e));
      }
    }
  }

  /** The files in a directory whose names end like this; none if there is no directory. */
  static List<Path> list(Path directory, String suffix) throws IOException {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> found =
        Files.newDirectoryStream(
            directory, path -> String.valueOf(path.getFileName()).endsWith(suffix))) {
      found.forEach(files::add);
    } catch (NoSuchFileException e) {
      LOG.trace("There is no {}", directory);
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return files;
  }

  KvSnapshot load(CacheFileReader reader) throws IOException {
    try (SnapshotReader snapshot = new SnapshotReader(blocks, form)) {
      return snapshot.read(reader);
    }
  }

  Optional<KvOutline> read(CacheFileReader reader, KvMemory memory) throws IOException {
    try (SnapshotReader snapshot = new SnapshotReader(blocks, form)) {
      return snapshot.read(reader, memory);
    }
  }

  /**
   * The longest beginning of {@code tokens} that is there in whole blocks, whoever parked it.
   * Without layers of a sliding window only: blocks don't hold those.
   */
  Optional<KvSnapshot> prefix(List<String> chain) throws IOException {
    List<BlockName> found = new ArrayList<>();
    synchronized (shelf) {
      for (String hash : chain) {
        Optional<BlockName> block = shelf.of(hash);
        if (block.isEmpty()) {
          break;
        }
        found.add(block.get());
      }
      shelf.pin(found);
    }
    try (SnapshotReader snapshot = new SnapshotReader(blocks, form)) {
      return found.isEmpty() ? Optional.empty() : Optional.of(snapshot.readPrefix(found));
    } finally {
      shelf.unpin(found);
    }
  }

  /**
   * Writes what is not there yet: blocks first, then the agent's file that refers to them.
   *
   * @return bytes of all that the agent's cache consists of
   */
  long park(Path file, AgentId agent, KvSnapshot snapshot, Instant now) throws IOException {
    KvEncoding encoding = encoding(agent, snapshot);
    List<BlockName> names = names(snapshot, encoding);
    shelf.pin(names);
    try {
      int from = names.size() * form.blockTokens();
      CacheHeader header =
          CacheHeader.agent(agent, snapshot, encoding, names, from, now, form.checksumBytes());
      long size = writeBlocks(names, snapshot, encoding, now);
      long[] own = new long[1];
      CacheFiles.put(file, channel -> own[0] = write(channel, header, snapshot));
      try {
        CacheFiles.force(CacheFiles.parent(file));
      } catch (IOException | RuntimeException | Error e) {
        shelf.pin(names); // which of the two files a loss of power would leave is not known
        shelf.referAlso(file, names);
        throw e;
      }
      shelf.pin(names);
      shelf.refer(file, names);
      parked.put(file, now);
      return size + own[0];
    } finally {
      shelf.unpin(names);
    }
  }

  /** As the store is told to; what that cannot hold, exactly. */
  private KvEncoding encoding(AgentId agent, KvSnapshot snapshot) {
    boolean fits =
        form.encoding() == KvEncoding.EXACT
            || Parallel.all(
                snapshot.layers(),
                layer ->
                    Stream.of(layer.keys(), layer.values())
                        .allMatch(numbers -> QuantizedRows.fit(snapshot.precision(), numbers)));
    if (!fits) {
      LOG.warn(
          "{}'s cache of {} has numbers that are infinite, not numbers or too great for {}: it is"
              + " written exactly",
          agent,
          snapshot.tag(),
          form.encoding());
    }
    return fits ? form.encoding() : KvEncoding.EXACT;
  }

  private long write(FileChannel channel, CacheHeader header, KvSnapshot snapshot)
      throws IOException {
    return CacheFileWriter.write(channel, header, snapshot, form.key());
  }

  private long writeBlocks(
      List<BlockName> names, KvSnapshot snapshot, KvEncoding encoding, Instant now)
      throws IOException {
    List<Job> missing = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      BlockName name = names.get(i);
      if (!shelf.has(name) || !Files.exists(block(name))) {
        int from = i * form.blockTokens();
        int to = from + form.blockTokens();
        CacheHeader header =
            CacheHeader.block(name, snapshot, encoding, from, to, now, form.checksumBytes());
        missing.add(() -> writeBlock(header, name, snapshot));
      }
    }
    if (!missing.isEmpty()) {
      CacheFiles.directory(blocks);
      FileJobs.runAll(missing);
    }
    if (!names.isEmpty()) {
      CacheFiles.force(blocks); // also for what another agent has just put there
    }
    long size = 0;
    for (BlockName name : names) {
      size += Files.size(block(name));
    }
    return size;
  }

  private void writeBlock(CacheHeader header, BlockName name, KvSnapshot snapshot)
      throws IOException {
    CacheFiles.put(block(name), channel -> write(channel, header, snapshot));
    shelf.add(name);
  }

  private List<BlockName> names(KvSnapshot snapshot, KvEncoding encoding) {
    if (snapshot.layout().layers().stream().allMatch(layer -> layer.window() != 0)) {
      return List.of();
    }
    List<String> chain =
        form.chain(snapshot.tag(), snapshot.precision(), encoding, snapshot.tokens());
    return Parallel.map(
        chain.size(),
        i -> new BlockName(chain.get(i), content(snapshot, encoding, i * form.blockTokens())));
  }

  private String content(KvSnapshot snapshot, KvEncoding encoding, int from) {
    Span block = new Span(from, form.blockTokens());
    int layers = snapshot.layers().size();
    ByteBuffer sums = ByteBuffer.allocate(8 * layers);
    CRC32C crc = new CRC32C();
    for (int i = 0; i < layers; i++) {
      if (snapshot.layout().layers().get(i).window() == 0) {
        for (KvRuns runs : KvRuns.of(snapshot, encoding, i, block)) {
          crc.reset();
          runs.each(crc::update);
          sums.putInt((int) crc.getValue());
        }
      }
    }
    return HexFormat.of().formatHex(form.names().of(sums.array()), 0, CONTENT_BYTES);
  }

  ParkedCache describe(CacheHeader header, long ownBytes) throws IOException {
    CacheHeader.Agent agent = header.agent();
    long size = ownBytes;
    for (BlockName name : agent.blocks()) {
      Path block = blocks.resolve(name.file());
      size += Files.exists(block) ? Files.size(block) : 0;
    }
    return new ParkedCache(
        agent.id(), header.tag(), header.tokens(), new ByteSize(size), header.parked());
  }

  /** The agent's file is gone, and with it what only it referred to. */
  void removed(Path file) {
    parked.remove(file);
    shelf.forget(file);
  }

  /** The block is not to be used any more. */
  void lost(Path block) {
    if (blocks.equals(block.getParent())) {
      shelf.lost(BlockName.of(block));
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
