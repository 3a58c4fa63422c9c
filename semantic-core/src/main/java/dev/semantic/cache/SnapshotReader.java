package dev.semantic.cache;

import dev.semantic.cache.CacheFileReader.Job;
import dev.semantic.cache.CacheHeader.Block;
import dev.semantic.cache.CacheHeader.Span;
import dev.semantic.cache.KvSnapshot.LayerKv;
import dev.semantic.model.KvLayout;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Puts a snapshot together again from an agent's file and the blocks that it names. Every header is
 * checked, and with it every file's length, before memory is taken for what they promise.
 */
final class SnapshotReader implements Closeable {
  private final Path directory;
  private final CacheForm form;
  private final List<Source> blocks = new ArrayList<>();

  /** An open block. */
  private record Source(Path file, FileChannel channel, CacheFileReader reader) {}

  /**
   * @param directory where the blocks are
   */
  SnapshotReader(Path directory, CacheForm form) {
    this.directory = directory;
    this.form = form;
  }

  /** All of an agent's cache. */
  KvSnapshot read(CacheFileReader agent) throws IOException {
    CacheHeader header = agent.header();
    List<BlockName> names = header.agent().blocks();
    openAll(names, header);
    int from = blocks.isEmpty() ? 0 : blocks.getLast().reader().header().tokens();
    checkSpans(header, from);
    int[] tokens = agent.ids();
    if (!names.isEmpty()) {
      checkChain(header, names, tokens, from / names.size());
    }
    return read(header, tokens, agent);
  }

  /** What {@code names} hold, of a model whose layers all have full attention. */
  KvSnapshot readPrefix(List<BlockName> names) throws IOException {
    openAll(names, null);
    CacheHeader last = blocks.getLast().reader().header();
    int[] tokens = new int[last.tokens()];
    for (Source source : blocks) {
      int[] ids = inBlock(source.file(), () -> source.reader().ids());
      System.arraycopy(ids, 0, tokens, source.reader().header().firstId(), ids.length);
    }
    checkChain(last, names, tokens, tokens.length / names.size());
    return read(last, tokens, null);
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
      channel = FileChannel.open(file, StandardOpenOption.READ);
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
        TokenChain.of(
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

  private KvSnapshot read(CacheHeader header, int[] tokens, @Nullable CacheFileReader rest)
      throws IOException {
    List<Room> rooms = rooms(header, tokens.length);
    List<Job> jobs = new ArrayList<>();
    for (Source source : blocks) {
      List<Job> its = inBlock(source.file(), () -> jobs(source.reader(), rooms, header));
      its.forEach(job -> jobs.add(() -> inBlock(source.file(), job)));
      jobs.add(() -> inBlock(source.file(), () -> checkIds(source.reader(), tokens)));
    }
    if (rest != null) {
      jobs.addAll(jobs(rest, rooms, header));
    }
    runAll(jobs);
    List<Integer> seams =
        header.content() instanceof CacheHeader.Agent agent ? agent.seams() : List.of();
    List<LayerKv> layers = rooms.stream().map(Room::layer).toList();
    try {
      return new KvSnapshot(
          header.tag(), header.layout(), header.precision(), tokens, layers, seams);
    } catch (IllegalArgumentException e) {
      throw CacheFileException.writtenWrong(String.valueOf(e.getMessage()));
    }
  }

  /** Where a layer's keys and values are gathered. */
  private record Room(Span held, ByteBuffer keys, ByteBuffer values) {
    LayerKv layer() {
      return new LayerKv(held.start(), held.length(), keys, values);
    }
  }

  private static List<Room> rooms(CacheHeader header, int tokens) throws CacheFileException {
    List<Room> rooms = new ArrayList<>();
    for (int i = 0; i < header.spans().size(); i++) {
      KvLayout.Layer layer = header.layout().layers().get(i);
      int start = layer.window() == 0 ? 0 : header.spans().get(i).start();
      long bytes = (long) layer.kvHeads() * (tokens - start) * row(layer, header);
      if (bytes > Integer.MAX_VALUE) {
        throw CacheFileException.writtenWrong(
            "layer %d's keys would take %d bytes; a buffer has at most %d"
                .formatted(i, bytes, Integer.MAX_VALUE));
      }
      rooms.add(
          new Room(
              new Span(start, tokens - start),
              ByteBuffer.allocate((int) bytes),
              ByteBuffer.allocate((int) bytes)));
    }
    return rooms;
  }

  private static int row(KvLayout.Layer layer, CacheHeader header) {
    return layer.headDim() * header.precision().bytes();
  }

  private static List<Job> jobs(CacheFileReader reader, List<Room> rooms, CacheHeader header)
      throws IOException {
    List<KvRuns> targets = new ArrayList<>();
    for (int i = 0; i < rooms.size(); i++) {
      KvLayout.Layer layer = header.layout().layers().get(i);
      Room room = rooms.get(i);
      Span span = reader.header().spans().get(i);
      int row = row(layer, header);
      targets.add(KvRuns.of(room.keys(), layer.kvHeads(), row, room.held(), span));
      targets.add(KvRuns.of(room.values(), layer.kvHeads(), row, room.held(), span));
    }
    return reader.jobs(targets);
  }

  /**
   * By several threads: two cores take a cached file faster than one, and reads by position don't
   * interfere. All of them are done when this returns or throws.
   */
  private static void runAll(List<Job> jobs) throws IOException {
    AtomicReference<@Nullable IOException> failure = new AtomicReference<>();
    jobs.parallelStream()
        .forEach(
            job -> {
              try {
                if (failure.get() == null) {
                  job.run();
                }
              } catch (IOException e) {
                failure.compareAndSet(null, e);
              }
            });
    IOException failed = failure.get();
    if (failed != null) {
      throw failed;
    }
  }

  private static void inBlock(Path block, Job job) throws IOException {
    inBlock(
        block,
        () -> {
          job.run();
          return block;
        });
  }

  private static <T> T inBlock(Path block, CacheFiles.Access<T> access) throws IOException {
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
