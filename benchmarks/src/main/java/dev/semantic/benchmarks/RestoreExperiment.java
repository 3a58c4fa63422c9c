package dev.semantic.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelTag;
import dev.semantic.spi.KvAllocation;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import dev.semantic.store.DiskCacheStore;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * From a parked cache to the next token, beside mlx-lm's prompt-cache files: in every round each
 * has its turn, so that a ratio is one of the same seconds. Files lie in the page cache.
 *
 * <p>{@code java -cp benchmarks/target/benchmarks.jar dev.semantic.benchmarks.RestoreExperiment
 * MODEL TOKENS ROUNDS DIRECTORY [PEER=COMMAND …]}, a peer's command being for instance {@code
 * mlx-lm=python restore_peer.py MODEL.gguf DIRECTORY}
 */
public final class RestoreExperiment {
  private static final AgentId AGENT = new AgentId("agent");
  private static final int CHUNK = 512;
  private static final int NEXT = 7;

  private final LoadedModel model;
  private final DiskCacheStore store;
  private final ModelTag tag;
  private final int[] prompt;
  private final Map<String, List<Double>> millis = new LinkedHashMap<>();

  private RestoreExperiment(LoadedModel model, DiskCacheStore store, int tokens) {
    this.model = model;
    this.store = store;
    this.tag = model.spec().tag();
    this.prompt = IntStream.range(0, tokens).map(i -> 10 + i * 31 % 997).toArray();
  }

  public static void main(String[] args) throws IOException {
    ModelId id = new ModelId(args[0]);
    Path directory = Path.of(args[3]);
    try (MlxModelRuntime runtime = MlxModelRuntime.open();
        DiskCacheStore store = DiskCacheStore.open(directory);
        PreparedModel prepared = runtime.prepare(id);
        LoadedModel model = prepared.load(LoadProgress.NONE)) {
      new RestoreExperiment(model, store, Integer.parseInt(args[1]))
          .run(Integer.parseInt(args[2]), Arrays.copyOfRange(args, 4, args.length), directory);
    }
  }

  private void run(int rounds, String[] commands, Path directory) throws IOException {
    prepare();
    List<Peer> peers = new ArrayList<>();
    for (String command : commands) {
      peers.add(Peer.start(command, prompt));
    }
    try {
      for (int round = 0; round <= rounds; round++) {
        if (round == 1) {
          millis.clear(); // the first is to warm up
        }
        note("file read to memory", readFiles(directory.resolve(tag.toString())));
        restoreSnapshot();
        restoreInPlace();
        decodeStep();
        park(directory);
        for (Peer peer : peers) {
          peer.restore().forEach((what, each) -> note(peer.name + " " + what, each));
        }
      }
      print();
      for (Peer peer : peers) {
        System.out.println(peer.name + " file: " + peer.ask("bytes"));
      }
    } finally {
      peers.forEach(Peer::end);
    }
  }

  /** Computes the prompt, unless an earlier run has parked it. */
  private void prepare() {
    if (store.load(AGENT, tag).filter(held -> Arrays.equals(held.tokens(), prompt)).isPresent()) {
      return;
    }
    try (Sequence sequence = model.open()) {
      long start = System.nanoTime();
      for (int from = 0; from < prompt.length; from += CHUNK) {
        int to = Math.min(prompt.length, from + CHUNK);
        int[] chunk = Arrays.copyOfRange(prompt, from, to);
        model.forward(List.of(new Chunk(sequence, chunk, to == prompt.length)));
      }
      System.out.printf(Locale.ROOT, "cold: %.0f ms%n", (System.nanoTime() - start) / 1e6);
      System.out.println("parked: " + store.park(AGENT, sequence.snapshot()).size());
    }
  }

  private void restoreSnapshot() {
    long start = System.nanoTime();
    KvSnapshot snapshot = store.load(AGENT, tag).orElseThrow();
    long loaded = System.nanoTime();
    try (Sequence sequence = model.restore(snapshot)) {
      long restored = System.nanoTime();
      step(sequence);
      long end = System.nanoTime();
      note("snapshot: read", loaded - start);
      note("snapshot: restore", restored - loaded);
      note("snapshot: all", end - start);
    }
  }

  private void restoreInPlace() {
    long start = System.nanoTime();
    try (KvAllocation allocation = model.allocateKv().orElseThrow()) {
      read(allocation);
      long loaded = System.nanoTime();
      try (Sequence sequence = allocation.commit()) {
        long restored = System.nanoTime();
        step(sequence);
        long end = System.nanoTime();
        note("in place: read", loaded - start);
        note("in place: occupy", restored - loaded);
        note("in place: step", end - restored);
        note("in place: all", end - start);
      }
    }
  }

  private void decodeStep() {
    try (KvAllocation allocation = model.allocateKv().orElseThrow()) {
      read(allocation);
      try (Sequence sequence = allocation.commit()) {
        step(sequence);
        long start = System.nanoTime();
        step(sequence);
        note("decode step", System.nanoTime() - start);
      }
    }
  }

  private void read(KvAllocation allocation) {
    if (store.read(AGENT, tag, allocation).isEmpty()) {
      throw new IllegalStateException("What was parked is not there");
    }
  }

  private void step(Sequence sequence) {
    model.forward(List.of(new Chunk(sequence, new int[] {NEXT}, true)));
  }

  private void park(Path directory) throws IOException {
    KvSnapshot snapshot = store.load(AGENT, tag).orElseThrow();
    AgentId other = new AgentId("other");
    Path elsewhere = directory.resolve("elsewhere");
    try (DiskCacheStore fresh = DiskCacheStore.open(elsewhere)) {
      long start = System.nanoTime();
      fresh.park(other, snapshot);
      note("park, durably", System.nanoTime() - start);
    }
    delete(elsewhere);
    Path plain = directory.resolve("plain");
    ByteBuffer megabyte = ByteBuffer.allocateDirect(1 << 20);
    long start = System.nanoTime();
    try (FileChannel channel =
        FileChannel.open(plain, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (long left = snapshot.bytes(); left > 0; left -= megabyte.capacity()) {
        channel.write(megabyte.clear());
      }
      channel.force(true);
    }
    note("plain file of that size, durably", System.nanoTime() - start);
    Files.delete(plain);
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted((one, other) -> other.compareTo(one)).toList()) {
        Files.delete(file);
      }
    }
  }

  /** As fast as the files can be had: by two threads, into memory that is there already. */
  private static long readFiles(Path directory) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.walk(directory)) {
      files = all.filter(Files::isRegularFile).toList();
    }
    long start = System.nanoTime();
    files.parallelStream().forEach(RestoreExperiment::readFile);
    return System.nanoTime() - start;
  }

  private static final ThreadLocal<ByteBuffer> BUFFER =
      ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(1 << 18));

  private static void readFile(Path file) {
    try (FileChannel channel = FileChannel.open(file)) {
      while (channel.read(BUFFER.get().clear()) >= 0) {
        // read for reading's sake
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void note(String what, long nanos) {
    note(what, nanos / 1e6);
  }

  private void note(String what, double each) {
    millis.computeIfAbsent(what, key -> new ArrayList<>()).add(each);
  }

  private void print() {
    millis.forEach(
        (what, each) -> {
          List<Double> sorted = each.stream().sorted().toList();
          System.out.printf(
              Locale.ROOT,
              "%-34s median %8.1f ms (%.1f to %.1f)%n",
              what,
              sorted.get(sorted.size() / 2),
              sorted.getFirst(),
              sorted.getLast());
        });
  }

  /** Another program that does the same with its own files. */
  private record Peer(String name, Process process, Writer in, BufferedReader out) {
    private static final ObjectMapper JSON = new ObjectMapper();

    static Peer start(String command, int[] prompt) throws IOException {
      String[] parts = command.split("=", 2);
      Process process =
          new ProcessBuilder(parts[1].split(" "))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      Peer peer = new Peer(parts[0], process, process.outputWriter(), process.inputReader());
      peer.answer();
      String tokens =
          IntStream.of(prompt).mapToObj(String::valueOf).collect(Collectors.joining(","));
      System.out.println(peer.name + " cold: " + peer.ask("prepare " + tokens));
      return peer;
    }

    JsonNode ask(String command) throws IOException {
      in.write(command + "\n");
      in.flush();
      return answer();
    }

    private JsonNode answer() throws IOException {
      String line = out.readLine();
      if (line == null) {
        throw new IOException(name + " ended; what it said is above");
      }
      return JSON.readTree(line);
    }

    Map<String, Double> restore() throws IOException {
      Map<String, Double> parts = new LinkedHashMap<>();
      ask("restore")
          .properties()
          .forEach(each -> parts.put(each.getKey(), 1e3 * each.getValue().asDouble()));
      return parts;
    }

    void end() {
      process.destroyForcibly();
    }
  }
}
