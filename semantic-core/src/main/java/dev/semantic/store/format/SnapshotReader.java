package dev.semantic.store.format;

import dev.semantic.io.DurableFiles;
import dev.semantic.io.PrivateFiles;
import dev.semantic.kv.BlockName;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.kv.KvSnapshot.LayerKv;
import dev.semantic.kv.KvSnapshotHeader;
import dev.semantic.kv.KvTarget;
import dev.semantic.kv.KvTarget.KvBuffers;
import dev.semantic.kv.PrefixHashChain;
import dev.semantic.model.KvLayout;
import dev.semantic.store.format.CacheFileReader.Numbers;
import dev.semantic.store.format.CacheHeader.Block;
import dev.semantic.store.format.CacheHeader.Span;
import dev.semantic.store.format.FileJobs.Job;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Puts a snapshot together again from an agent's file and the blocks that it names. Every header is
 * checked, and with it every file's length, before memory is taken for what they promise.
 */
public final class SnapshotReader implements Closeable {
  private final Path directory;
  private final CacheFormat form;
  private final List<Source> blocks = new ArrayList<>();

  /** An open block. */
  private record Source(Path file, FileChannel channel, CacheFileReader reader) {}

  /**
   * @param directory where the blocks are
   */
  public SnapshotReader(Path directory, CacheFormat form) {
    this.directory = directory;
    this.form = form;
  }

  /** The header of an agent's file, or of an exported one; of any age, wherever it lies. */
  public static CacheHeader header(Path file, CacheFormat form) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return CacheFileReader.open(channel, form.key()).header();
    }
  }

  /** When an agent's cache was parked; empty if the file does not tell. */
  public static Optional<Instant> parked(Path file, CacheFormat form) throws IOException {
    try {
      return Optional.of(header(file, form).parked());
    } catch (CacheFileException | NoSuchFileException e) {
      return Optional.empty();
    }
  }

  /** Does something with a cache that is open. */
  @FunctionalInterface
  public interface Use<T> {
    T of(Layers cache) throws IOException;
  }

  /** Opens a cache of any age, every header verified, to be read layer by layer. */
  public static <T> T layers(Path file, CacheFormat form, Use<T> use) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
        SnapshotReader reader =
            new SnapshotReader(file.resolveSibling(CacheFileNames.BLOCKS), form)) {
      return use.of(reader.layers(CacheFileReader.open(channel, form.key())));
    }
  }

  /** All of a cache of any age, every checksum verified. */
  public static KvSnapshot snapshot(Path file, CacheFormat form) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
        SnapshotReader reader =
            new SnapshotReader(file.resolveSibling(CacheFileNames.BLOCKS), form)) {
      return reader.read(CacheFileReader.open(channel, form.key()));
    }
  }

  /** All of an agent's cache. */
  public KvSnapshot read(CacheFileReader agent) throws IOException {
    Heap heap = new Heap();
    return heap.snapshot(read(agent, heap).orElseThrow());
  }

  /** The same, to where {@code memory} says; empty if it does not take it. */
  public Optional<KvSnapshotHeader> read(CacheFileReader agent, KvTarget memory)
      throws IOException {
    return read(agent.header(), begin(agent), agent, memory);
  }

  /** The same, layer by layer; good until this is closed. */
  Layers layers(CacheFileReader agent) throws IOException {
    int[] tokens = begin(agent);
    for (Source source : blocks) {
      inBlock(source.file(), () -> checkIds(source.reader(), tokens));
    }
    return new Layers(agent.header(), outline(agent.header(), tokens), agent.numbers());
  }

  /** Opens an agent's blocks, and checks all headers; returns its tokens. */
  private int[] begin(CacheFileReader agent) throws IOException {
    CacheHeader header = agent.header();
    List<BlockName> names = header.agent().blocks();
    openAll(names, header);
    int from = blocks.isEmpty() ? 0 : blocks.getLast().reader().header().tokens();
    checkSpans(header, from);
    int[] tokens = agent.ids();
    if (!names.isEmpty()) {
      checkChain(header, names, tokens, from / names.size());
    }
    return tokens;
  }

  /** What {@code names} hold, of a model whose layers all have full attention. */
  public KvSnapshot readPrefix(List<BlockName> names) throws IOException {
    openAll(names, null);
    CacheHeader last = blocks.getLast().reader().header();
    int[] tokens = new int[last.tokens()];
    for (Source source : blocks) {
      int[] ids = inBlock(source.file(), () -> source.reader().ids());
      System.arraycopy(ids, 0, tokens, source.reader().header().firstId(), ids.length);
    }
    checkChain(last, names, tokens, tokens.length / names.size());
    Heap heap = new Heap();
    return heap.snapshot(read(last, tokens, null, heap).orElseThrow());
  }

  private void openAll(List<BlockName> names, @Nullable CacheHeader agent) throws IOException {
    CacheHeader like = agent;
    int from = 0;
    for (BlockName name : names) {
      Path file = directory.resolve(name.file());
      int start = from;
      CacheHeader expected = like;
      CacheHeader found =
          inBlock(
              file,
              () -> {
                Source source = open(file);
                check(source.reader().header(), name, start, expected);
                return source.reader().header();
              });
      from = found.tokens();
      like = like == null ? found : like;
    }
  }

  private Source open(Path file) throws IOException {
    FileChannel channel;
    try {
      channel = PrivateFiles.open(file, Set.of(StandardOpenOption.READ));
    } catch (NoSuchFileException e) {
      throw CacheFileException.damaged("it is not there");
    }
    try {
      Source source = new Source(file, channel, CacheFileReader.open(channel, form.key()));
      blocks.add(source);
      return source;
    } catch (IOException | RuntimeException | Error e) {
      channel.close();
      throw e;
    }
  }

  private static void check(
      CacheHeader header, BlockName name, int from, @Nullable CacheHeader like)
      throws CacheFileException {
    if (!(header.content() instanceof Block block) || !block.name().equals(name)) {
      throw misplaced("it holds something else: " + header.content());
    }
    if (like != null
        && !(header.tag().equals(like.tag())
            && header.layout().equals(like.layout())
            && header.precision() == like.precision()
            && header.encoding() == like.encoding())) {
      throw misplaced("it is of another model or in other numbers, " + header.tag());
    }
    boolean whole = true;
    for (int i = 0; i < header.spans().size(); i++) {
      boolean full = header.layout().layers().get(i).window() == 0;
      Span due = full ? new Span(from, header.tokens() - from) : new Span(header.tokens(), 0);
      whole &= header.spans().get(i).equals(due);
    }
    if (block.from() != from || !whole) {
      throw misplaced(
          "it holds tokens %d to %d, expected those from %d on, in every layer"
              .formatted(block.from(), header.tokens(), from));
    }
  }

  private static void checkSpans(CacheHeader header, int from) throws CacheFileException {
    for (int i = 0; i < header.spans().size(); i++) {
      KvLayout.Layer layer = header.layout().layers().get(i);
      Span span = header.spans().get(i);
      boolean joins = layer.window() != 0 || span.start() == from;
      if (!joins || span.end() != header.tokens() || from > header.tokens()) {
        throw CacheFileException.writtenWrong(
            "layer %d holds tokens %d to %d; its blocks end at %d and the cache at %d"
                .formatted(i, span.start(), span.end(), from, header.tokens()));
      }
    }
  }

  private void checkChain(CacheHeader header, List<BlockName> names, int[] tokens, int blockTokens)
      throws CacheFileException {
    List<String> chain =
        PrefixHashChain.of(
            form.names(),
            header.tag(),
            header.precision(),
            header.encoding(),
            tokens,
            Math.max(1, blockTokens));
    for (int i = 0; i < names.size(); i++) {
      if (i >= chain.size() || !chain.get(i).equals(names.get(i).chain())) {
        throw misplaced("block %d, %s, is not of these tokens".formatted(i, names.get(i)));
      }
    }
  }

  private static void checkIds(CacheFileReader block, int[] tokens) throws IOException {
    int[] ids = block.ids();
    int from = block.header().firstId();
    if (!Arrays.equals(ids, 0, ids.length, tokens, from, from + ids.length)) {
      throw misplaced("its tokens are not those of the cache from %d on".formatted(from));
    }
  }

  private static CacheFileException misplaced(String message) {
    return new CacheFileException(CacheFileException.Kind.MISPLACED, message);
  }

  private Optional<KvSnapshotHeader> read(
      CacheHeader header, int[] tokens, @Nullable CacheFileReader rest, KvTarget memory)
      throws IOException {
    KvSnapshotHeader snapshotHeader = outline(header, tokens);
    Optional<List<KvBuffers>> places = memory.buffers(snapshotHeader);
    if (places.isPresent()) {
      readInto(places.get(), snapshotHeader, rest);
    }
    return places.map(taken -> snapshotHeader);
  }

  private void readInto(
      List<KvBuffers> places, KvSnapshotHeader snapshotHeader, @Nullable CacheFileReader rest)
      throws IOException {
    List<Job> jobs = new ArrayList<>();
    for (Source source : blocks) {
      List<Job> its = inBlock(source.file(), () -> jobs(source.reader(), places, snapshotHeader));
      its.forEach(job -> jobs.add(() -> inBlock(source.file(), job)));
      jobs.add(
          () -> inBlock(source.file(), () -> checkIds(source.reader(), snapshotHeader.tokens())));
    }
    if (rest != null) {
      jobs.addAll(jobs(rest, places, snapshotHeader));
    }
    FileJobs.runAll(jobs);
  }

  private static KvSnapshotHeader outline(CacheHeader header, int[] tokens)
      throws CacheFileException {
    List<Integer> starts = new ArrayList<>();
    for (int i = 0; i < header.spans().size(); i++) {
      KvLayout.Layer layer = header.layout().layers().get(i);
      int start = layer.window() == 0 ? 0 : header.spans().get(i).start();
      int length = tokens.length - start;
      long bytes = (long) layer.kvHeads() * length * layer.headDim() * header.precision().bytes();
      if (bytes > Integer.MAX_VALUE) {
        throw CacheFileException.writtenWrong(
            "layer %d's keys would take %d bytes; a buffer has at most %d"
                .formatted(i, bytes, Integer.MAX_VALUE));
      }
      starts.add(start);
    }
    List<Integer> seams =
        header.content() instanceof CacheHeader.Agent agent ? agent.seams() : List.of();
    boolean imported = header.content() instanceof CacheHeader.Agent agent && agent.imported();
    try {
      return new KvSnapshotHeader(
          header.tag(), header.layout(), header.precision(), tokens, starts, seams, imported);
    } catch (IllegalArgumentException e) {
      throw CacheFileException.writtenWrong(String.valueOf(e.getMessage()));
    }
  }

  /** For one layer, on the Java heap. */
  private static KvBuffers room(KvSnapshotHeader snapshotHeader, int layer) {
    int perHead = snapshotHeader.length(layer) * snapshotHeader.row(layer);
    int bytes = snapshotHeader.layout().layers().get(layer).kvHeads() * perHead;
    return new KvBuffers(ByteBuffer.allocate(bytes), ByteBuffer.allocate(bytes), perHead);
  }

  /** A cache that nobody need hold whole: its layers are read and checked as they are asked for. */
  public final class Layers implements CacheFileWriter.Body {
    private final CacheHeader header;
    private final KvSnapshotHeader snapshotHeader;
    private final Numbers rest;
    private final List<Numbers> inBlocks = new ArrayList<>();

    private Layers(CacheHeader header, KvSnapshotHeader snapshotHeader, Numbers rest)
        throws IOException {
      this.header = header;
      this.snapshotHeader = snapshotHeader;
      this.rest = rest;
      for (Source source : blocks) {
        inBlocks.add(inBlock(source.file(), () -> source.reader().numbers()));
      }
    }

    public CacheHeader header() {
      return header;
    }

    public KvSnapshotHeader outline() {
      return snapshotHeader;
    }

    @Override
    public int[] tokens() {
      return snapshotHeader.tokens();
    }

    @Override
    public LayerKv layer(int index) throws IOException {
      KvBuffers buffers = room(snapshotHeader, index);
      for (int i = 0; i < blocks.size(); i++) {
        Source source = blocks.get(i);
        Numbers numbers = inBlocks.get(i);
        inBlock(
            source.file(),
            () ->
                read(
                    numbers,
                    index,
                    targets(source.reader().header(), index, buffers, snapshotHeader)));
      }
      read(rest, index, targets(header, index, buffers, snapshotHeader));
      return new LayerKv(
          snapshotHeader.starts().get(index),
          snapshotHeader.length(index),
          buffers.keys(),
          buffers.values());
    }

    private void read(Numbers numbers, int index, List<KvSlices> targets) throws IOException {
      numbers.read(2 * index, targets.getFirst());
      numbers.read(2 * index + 1, targets.getLast());
    }

    /** Reads and checks all of them, one after the other. */
    public void verify() throws IOException {
      for (int i = 0; i < snapshotHeader.starts().size(); i++) {
        layer(i);
      }
    }
  }

  /** On the Java heap: for a snapshot. */
  private static final class Heap implements KvTarget {
    private List<KvBuffers> places = List.of();

    @Override
    public Optional<List<KvBuffers>> buffers(KvSnapshotHeader snapshotHeader) {
      List<KvBuffers> rooms = new ArrayList<>();
      for (int i = 0; i < snapshotHeader.starts().size(); i++) {
        rooms.add(room(snapshotHeader, i));
      }
      places = rooms;
      return Optional.of(rooms);
    }

    KvSnapshot snapshot(KvSnapshotHeader snapshotHeader) {
      List<LayerKv> layers = new ArrayList<>();
      for (int i = 0; i < places.size(); i++) {
        KvBuffers buffers = places.get(i);
        layers.add(
            new LayerKv(
                snapshotHeader.starts().get(i),
                snapshotHeader.length(i),
                buffers.keys(),
                buffers.values()));
      }
      return new KvSnapshot(
          snapshotHeader.tag(),
          snapshotHeader.layout(),
          snapshotHeader.precision(),
          snapshotHeader.tokens(),
          layers,
          snapshotHeader.seams(),
          snapshotHeader.imported());
    }
  }

  private static List<Job> jobs(
      CacheFileReader reader, List<KvBuffers> places, KvSnapshotHeader snapshotHeader)
      throws IOException {
    List<KvSlices> targets = new ArrayList<>();
    for (int i = 0; i < places.size(); i++) {
      targets.addAll(targets(reader.header(), i, places.get(i), snapshotHeader));
    }
    return reader.jobs(targets);
  }

  /** Where a layer's keys and values go that are in a file of this header. */
  private static List<KvSlices> targets(
      CacheHeader header, int layer, KvBuffers buffers, KvSnapshotHeader snapshotHeader) {
    int heads = snapshotHeader.layout().layers().get(layer).kvHeads();
    int start = snapshotHeader.starts().get(layer);
    int row = snapshotHeader.row(layer);
    Span span = header.spans().get(layer);
    return List.of(
        KvSlices.of(buffers.keys(), heads, row, buffers.headStride(), start, span),
        KvSlices.of(buffers.values(), heads, row, buffers.headStride(), start, span));
  }

  private static void inBlock(Path block, Job job) throws IOException {
    inBlock(
        block,
        () -> {
          job.run();
          return block;
        });
  }

  private static <T> T inBlock(Path block, DurableFiles.Access<T> access) throws IOException {
    try {
      return access.run();
    } catch (CacheFileException e) {
      throw e.inBlock(block);
    }
  }

  @Override
  public void close() throws IOException {
    for (Source source : blocks) {
      source.channel().close();
    }
  }
}
