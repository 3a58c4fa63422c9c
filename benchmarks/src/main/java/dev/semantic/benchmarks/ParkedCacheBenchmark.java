package dev.semantic.benchmarks;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvEncoding;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.kv.KvSnapshot.LayerKv;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelTag;
import dev.semantic.store.CacheKey;
import dev.semantic.store.DiskCacheBuilder;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.store.ParkedCache;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Parking and loading 180 MiB, SmolLM2-135M's cache of 4,096 tokens, in every form, beside writing
 * and reading the same bytes without a format. The directory is {@code
 * semantic.benchmark.directory}, or the system's temporary one; what is read comes from the page
 * cache.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(value = 1, jvmArgsAppend = "-Xmx3g")
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@SuppressWarnings("NullAway.Init") // JMH calls the set-up methods before anything else
public class ParkedCacheBenchmark {
  private static final int TOKENS = 4096;
  private static final AgentId AGENT = new AgentId("agent");
  private static final ModelTag TAG = new ModelTag("smollm2", "0a".repeat(32));

  @Param({"EXACT", "Q8", "Q4"})
  private KvEncoding encoding;

  @Param({"false", "true"})
  private boolean encrypted;

  private Path root;
  private Path plain;
  private DiskCacheStore store;
  private KvSnapshot snapshot;
  private final ByteBuffer megabyte = ByteBuffer.allocateDirect(1 << 20);

  @Setup
  public void park() throws IOException {
    String directory = System.getProperty("semantic.benchmark.directory", "");
    root =
        directory.isEmpty()
            ? Files.createTempDirectory("parked")
            : Files.createTempDirectory(Path.of(directory), "parked");
    plain = root.resolve("plain");
    store = open();
    KvLayout layout = KvLayout.uniform(30, 3, 64);
    Random random = new Random(1);
    List<LayerKv> layers = new ArrayList<>();
    for (KvLayout.Layer layer : layout.layers()) {
      int bytes = Math.toIntExact(TOKENS * layer.bytesPerToken(KvPrecision.FLOAT32) / 2);
      layers.add(new LayerKv(0, TOKENS, numbers(random, bytes), numbers(random, bytes)));
    }
    snapshot = new KvSnapshot(TAG, layout, KvPrecision.FLOAT32, new int[TOKENS], layers);
    store.park(AGENT, snapshot);
    megabyte.put(layers.getFirst().keys().slice(0, megabyte.capacity()));
    writePlain();
  }

  private DiskCacheStore open() {
    DiskCacheBuilder builder = DiskCacheStore.builder(root).encoding(encoding);
    return (encrypted ? builder.encryption(CacheKey.of(CacheKey.random())) : builder).open();
  }

  private static ByteBuffer numbers(Random random, int length) {
    ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      bytes.putFloat((float) random.nextGaussian());
    }
    return bytes.flip();
  }

  /** Nothing is there yet. */
  @Benchmark
  public ParkedCache parkDurably() {
    store.remove(AGENT, TAG);
    return store.park(AGENT, snapshot);
  }

  /** All of it is there already but the agent's own file. */
  @Benchmark
  public ParkedCache parkAgain() {
    return store.park(AGENT, snapshot);
  }

  @Benchmark
  public Optional<KvSnapshot> load() {
    return store.load(AGENT, TAG);
  }

  @Benchmark
  public long writePlain() throws IOException {
    Files.deleteIfExists(plain);
    try (FileChannel channel =
        FileChannel.open(plain, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (long left = snapshot.bytes(); left > 0; left -= megabyte.capacity()) {
        channel.write(megabyte.clear());
      }
      channel.force(true);
      return channel.size();
    }
  }

  @Benchmark
  public byte[] readPlain() throws IOException {
    return Files.readAllBytes(plain);
  }

  @TearDown
  public void remove() throws IOException {
    store.close();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
