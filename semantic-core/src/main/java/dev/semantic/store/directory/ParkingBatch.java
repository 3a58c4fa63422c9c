package dev.semantic.store.directory;

import dev.semantic.io.DurableFiles;
import dev.semantic.kv.AgentId;
import dev.semantic.kv.BlockName;
import dev.semantic.kv.KvEncoding;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.log.Log;
import dev.semantic.store.format.CacheFileWriter;
import dev.semantic.store.format.CacheFormat;
import dev.semantic.store.format.CacheHeader;
import dev.semantic.store.format.CacheHeader.Span;
import dev.semantic.store.format.FileJobs;
import dev.semantic.store.format.FileKeys;
import dev.semantic.store.format.KvSlices;
import dev.semantic.store.format.QuantizedRows;
import dev.semantic.timeline.Parallel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Agents' caches of one model that are written together, because a disk takes many files in hardly
 * more time than one: all that is not there yet is written under names of its own, then all of it
 * is forced, then the blocks get their names and, once these last, the agents' files that refer to
 * them. What fails costs those whom it concerns. One thread uses it.
 */
public final class ParkingBatch implements AutoCloseable {
  private static final Log LOG = Log.of(ParkingBatch.class);
  private static final int CONTENT_BYTES = 8;

  private final TagDirectory directory;
  private final CacheFormat form;
  private final List<Entry> entries = new ArrayList<>();
  private final Map<BlockName, Piece> missing = new LinkedHashMap<>();

  ParkingBatch(TagDirectory directory, CacheFormat form) {
    this.directory = directory;
    this.form = form;
  }

  /** A file that is written, and what went wrong with it. */
  private static final class Piece {
    private final Path file;
    private final CacheHeader header;
    private final KvSnapshot snapshot;
    private volatile @Nullable Path temporary; // while it has no name of its own
    private volatile @Nullable Throwable failure;

    Piece(Path file, CacheHeader header, KvSnapshot snapshot) {
      this.file = file;
      this.header = header;
      this.snapshot = snapshot;
    }

    /** Does something with it, unless something else has failed. */
    void attempt(FileJobs.Job job) {
      try {
        if (failure == null) {
          DurableFiles.uninterrupted(
              () -> {
                job.run();
                return file;
              });
        }
      } catch (Throwable t) { // which is told to whoever asked for it
        failure = t;
      }
    }

    void write(@Nullable FileKeys key) throws IOException {
      temporary =
          DurableFiles.write(
              file, channel -> CacheFileWriter.write(channel, header, snapshot, key));
    }

    void force() throws IOException {
      Path written = temporary;
      if (written != null) {
        DurableFiles.forceFile(written);
      }
    }

    void name() throws IOException {
      Path written = temporary;
      if (written != null) {
        Files.move(written, file, StandardCopyOption.ATOMIC_MOVE);
        temporary = null;
      }
    }

    void discard() {
      Path written = temporary;
      if (written != null) {
        try {
          Files.deleteIfExists(written);
        } catch (IOException e) {
          LOG.debug("{} stays until the store is opened again", written, e);
        }
      }
    }
  }

  /** One agent's cache in the batch. */
  public final class Entry {
    private final Path file;
    private final AgentId agent;
    private final KvSnapshot snapshot;
    private final Instant when;
    private List<BlockName> names = List.of(); // pinned
    private @Nullable Piece own;
    private @Nullable Throwable failure;
    private long size;

    private Entry(Path file, AgentId agent, KvSnapshot snapshot, Instant when) {
      this.file = file;
      this.agent = agent;
      this.snapshot = snapshot;
      this.when = when;
    }

    /** Why it is not parked; null if it is. */
    @Nullable
    public Throwable failure() {
      return failure;
    }

    /** Bytes of all that the agent's cache consists of. */
    public long size() {
      return size;
    }

    private void fail(Throwable why) {
      failure = failure == null ? why : failure;
    }

    private void plan() {
      try {
        KvEncoding encoding = encoding(agent, snapshot);
        List<BlockName> all = names(snapshot, encoding);
        directory.refs().pin(all);
        names = all;
        for (int i = 0; i < names.size(); i++) {
          BlockName name = names.get(i);
          int from = i * form.blockTokens();
          if (!missing.containsKey(name) && !isThere(name)) {
            CacheHeader header =
                CacheHeader.block(
                    name,
                    snapshot,
                    encoding,
                    from,
                    from + form.blockTokens(),
                    when,
                    form.checksumBytes());
            missing.put(name, new Piece(directory.block(name), header, snapshot));
          }
        }
        int from = names.size() * form.blockTokens();
        own =
            new Piece(
                file,
                CacheHeader.agent(
                    agent, snapshot, encoding, names, from, when, form.checksumBytes()),
                snapshot);
      } catch (Throwable t) { // which is told to whoever asked for it
        fail(t);
      }
    }

    /** Fails if what it consists of does. */
    private void look() {
      if (own != null && own.failure != null) {
        fail(own.failure);
      }
      for (BlockName name : names) {
        Piece block = missing.get(name);
        if (block != null && block.failure != null) {
          fail(block.failure);
        }
      }
    }
  }

  /** One more. */
  public Entry add(Path file, AgentId agent, KvSnapshot snapshot, Instant when) {
    Entry entry = new Entry(file, agent, snapshot, when);
    entries.add(entry);
    return entry;
  }

  /** Writes all of it but the names of the agents' files; nobody else sees anything of it yet. */
  public void write() {
    entries.forEach(Entry::plan);
    List<Piece> pieces =
        Stream.concat(
                missing.values().stream(),
                entries.stream().map(entry -> entry.own).flatMap(Stream::ofNullable))
            .toList();
    if (!missing.isEmpty()) {
      attempt(() -> DurableFiles.directory(directory.blocks()));
    }
    Parallel.each(pieces, piece -> piece.attempt(() -> piece.write(form.key())));
    List<Runnable> forcing = new ArrayList<>();
    pieces.forEach(piece -> forcing.add(() -> piece.attempt(piece::force)));
    FileJobs.runAllWaiting(forcing);
    missing.forEach(
        (name, piece) ->
            piece.attempt(
                () -> {
                  piece.name();
                  directory.refs().add(name);
                }));
    entries.forEach(Entry::look);
    if (left().stream().anyMatch(entry -> !entry.names.isEmpty())) {
      attempt(() -> DurableFiles.force(directory.blocks())); // also for what others have put there
    }
  }

  /**
   * Gives the agents' files their names; when this returns they last. Callers see to it that nobody
   * else uses the files.
   */
  public void name() {
    List<Entry> named = new ArrayList<>();
    Map<BlockName, Long> sizes = new LinkedHashMap<>();
    for (Entry entry : left()) {
      Piece own = entry.own;
      if (own != null) {
        own.attempt(
            () -> {
              entry.size = Files.size(own.temporary == null ? own.file : own.temporary);
              for (BlockName name : entry.names) {
                entry.size += sizeOf(name, sizes);
              }
              own.name();
              named.add(entry);
            });
        entry.look();
      }
    }
    if (named.isEmpty()) {
      return;
    }
    try {
      DurableFiles.uninterrupted(
          () -> {
            DurableFiles.force(directory.path());
            return named;
          });
    } catch (Throwable t) {
      for (Entry entry : named) {
        directory.refs().pin(entry.names); // which file a loss of power would leave is not known
        directory.refs().referAlso(entry.file, entry.names);
        entry.fail(t);
      }
      return;
    }
    for (Entry entry : named) {
      directory.refs().pin(entry.names);
      directory.refs().refer(entry.file, entry.names);
      directory.parked(entry.file, entry.when);
    }
  }

  private List<Entry> left() {
    return entries.stream().filter(entry -> entry.failure == null).toList();
  }

  /** Does what all who need blocks depend on. */
  private void attempt(FileJobs.Job job) {
    try {
      DurableFiles.uninterrupted(
          () -> {
            job.run();
            return directory;
          });
    } catch (Throwable t) { // which is told to whoever asked for it
      entries.stream().filter(entry -> !entry.names.isEmpty()).forEach(entry -> entry.fail(t));
    }
  }

  private boolean isThere(BlockName name) {
    return directory.refs().has(name) && Files.exists(directory.block(name));
  }

  private long sizeOf(BlockName name, Map<BlockName, Long> known) throws IOException {
    Long size = known.get(name);
    if (size == null) {
      size = Files.size(directory.block(name));
      known.put(name, size);
    }
    return size;
  }

  /** Lets go of what was not parked. */
  @Override
  public void close() {
    missing.values().forEach(Piece::discard);
    for (Entry entry : entries) {
      if (entry.own != null) {
        entry.own.discard();
      }
      directory.refs().unpin(entry.names);
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

  /** None for what came from outside: blocks are there for everybody who begins alike. */
  private List<BlockName> names(KvSnapshot snapshot, KvEncoding encoding) {
    if (snapshot.imported()
        || snapshot.layout().layers().stream().allMatch(layer -> layer.window() != 0)) {
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
        for (KvSlices slices : KvSlices.of(snapshot, encoding, i, block)) {
          crc.reset();
          slices.each(crc::update);
          sums.putInt((int) crc.getValue());
        }
      }
    }
    return HexFormat.of().formatHex(form.names().of(sums.array()), 0, CONTENT_BYTES);
  }
}
