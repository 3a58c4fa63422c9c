package dev.semantic.store;

import static dev.semantic.store.Snapshots.ALPHA;
import static dev.semantic.store.Snapshots.BETA;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvEncoding;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.kv.KvSnapshot.LayerKv;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvLayout.Layer;
import dev.semantic.model.KvPrecision;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Caches that the build of 30 November 2026 wrote are found by every build after it, to the byte:
 * what an agent said must not be lost to an upgrade. {@code /caches} was written by {@link #main}
 * and is not to be written anew: a format that changes reads both.
 */
class FormerCachesTest {
  private static final AgentId ADA = new AgentId("Ada");
  private static final AgentId BEN = new AgentId("ben/../of the long beginning");
  private static final AgentId CLEO = new AgentId("cleo");

  /** A layer that sees everything and one with a window of 5 tokens. */
  private static final KvLayout WINDOWED =
      new KvLayout(List.of(new Layer(1, 4, 0), new Layer(1, 2, 5)));

  private static final KvLayout PLAIN = KvLayout.uniform(2, 1, 4);

  /** One that is written in 8 or 4 bits where that is asked for. */
  private static final KvLayout WIDE = KvLayout.uniform(1, 1, 64);

  private static final CacheKey KEY = EncryptedCacheTest.key(7);

  @TempDir Path directory;
  private final Properties expected = new Properties();

  @BeforeEach
  void copy() throws IOException, URISyntaxException {
    Path former = Path.of(FormerCachesTest.class.getResource("/caches").toURI());
    try (Stream<Path> all = Files.walk(former)) {
      for (Path each : all.toList()) {
        Path target = directory.resolve(former.relativize(each).toString());
        if (!Files.isDirectory(each)) {
          Files.createDirectories(target.getParent());
          Files.copy(each, target);
        }
      }
    }
    try (var in = Files.newBufferedReader(directory.resolve("expected.properties"))) {
      expected.load(in);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"exact", "q8", "q4", "encrypted"})
  void everyAgentsCacheIsFoundAndIsTheSame(String root) {
    try (DiskCacheStore store = open(directory, root)) {
      for (AgentId agent : List.of(ADA, BEN, CLEO)) {
        KvSnapshot found = store.load(agent, ALPHA).orElseThrow();
        assertEquals(expected.getProperty(root + "." + agent.name().charAt(0)), digest(found));
        assertEquals(agent.equals(CLEO), found.imported());
      }
      assertEquals(3, store.parked(ALPHA).size());
      assertEquals(
          List.of(),
          store.maintenance().list().stream().filter(FormerCachesTest::isDamaged).toList());
    }
  }

  @Test
  void aSharedBeginningIsFoundByItsTokens() {
    try (DiskCacheStore store = open(directory, "exact")) {
      int[] tokens = Arrays.copyOf(ben().tokens(), 260);
      KvSnapshot found = store.prefix(ALPHA, KvPrecision.FLOAT16, tokens).orElseThrow();
      assertArrayEquals(Arrays.copyOf(tokens, 256), found.tokens());
      assertEquals(Optional.empty(), store.prefix(ALPHA, KvPrecision.FLOAT16, cleo().tokens()));
    }
  }

  @Test
  void anotherModelsCacheWaitsInTheArchiveAndComesBack() {
    try (DiskCacheStore store = open(directory, "exact")) {
      CacheEntry archived =
          store.maintenance().list().stream()
              .filter(each -> each.cache().filter(c -> c.tag().equals(BETA)).isPresent())
              .findFirst()
              .orElseThrow();
      store.maintenance().bringBack(archived);
      assertEquals(expected.getProperty("archived"), digest(store.load(ADA, BETA).orElseThrow()));
    }
  }

  @Test
  void anExportIsImported() {
    try (DiskCacheStore store = DiskCacheStore.open(directory.resolve("new"))) {
      store.importFrom(CacheImport.of(directory.resolve("ben.export")));
      assertEquals(expected.getProperty("exact.b"), digest(store.load(BEN, ALPHA).orElseThrow()));
    }
  }

  private static boolean isDamaged(CacheEntry entry) {
    return entry.problem().isPresent();
  }

  /** A block of 256 tokens that others may begin with, and a rest. */
  private static KvSnapshot ben() {
    return Snapshots.plausible(ALPHA, WIDE, KvPrecision.FLOAT16, 270, 2);
  }

  private static KvSnapshot cleo() {
    return Snapshots.plausible(ALPHA, PLAIN, KvPrecision.FLOAT16, 300, 3);
  }

  private static DiskCacheStore open(Path directory, String root) {
    DiskCacheBuilder builder = DiskCacheStore.builder(directory.resolve(root));
    return switch (root) {
      case "q8" -> builder.encoding(KvEncoding.Q8).open();
      case "q4" -> builder.encoding(KvEncoding.Q4).open();
      case "encrypted" -> builder.encryption(KEY).open();
      default -> builder.open();
    };
  }

  private static String digest(KvSnapshot snapshot) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      ByteBuffer tokens = ByteBuffer.allocate(4 * snapshot.tokens().length);
      tokens.asIntBuffer().put(snapshot.tokens());
      sha.update(tokens);
      for (LayerKv layer : snapshot.layers()) {
        sha.update(ByteBuffer.allocate(4).putInt(layer.start()).flip());
        sha.update(layer.keys());
        sha.update(layer.values());
      }
      return HexFormat.of().formatHex(sha.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Wrote what lies in {@code /caches}, into an empty directory. */
  public static void main(String[] args) {
    Path directory = Path.of(args[0]);
    TreeMap<String, String> told = new TreeMap<>();
    for (String root : List.of("exact", "q8", "q4", "encrypted")) {
      try (DiskCacheStore store = open(directory, root)) {
        store.park(ADA, Snapshots.plausible(ALPHA, WINDOWED, KvPrecision.BFLOAT16, 9, 1));
        store.park(BEN, ben());
        store.park(CLEO, cleo().asImported());
        for (AgentId agent : List.of(ADA, BEN, CLEO)) {
          told.put(
              root + "." + agent.name().charAt(0), digest(store.load(agent, ALPHA).orElseThrow()));
        }
        if (root.equals("exact")) {
          store.park(ADA, Snapshots.plausible(BETA, PLAIN, KvPrecision.FLOAT32, 12, 4));
          told.put("archived", digest(store.load(ADA, BETA).orElseThrow()));
          store.maintenance().archive(entry(store, ADA, BETA.model()));
          CacheView.of(directory.resolve(root))
              .export(entry(store, BEN, ALPHA.model()), directory.resolve("ben.export"));
        }
      }
    }
    try {
      StringBuilder text = new StringBuilder();
      told.forEach((name, value) -> text.append(name).append('=').append(value).append('\n'));
      Files.writeString(directory.resolve("expected.properties"), text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    assertTrue(told.size() > 12);
  }

  private static CacheEntry entry(DiskCacheStore store, AgentId agent, String model) {
    return store.maintenance().list().stream()
        .filter(
            each ->
                each.cache()
                    .filter(c -> c.agent().equals(agent) && c.tag().model().equals(model))
                    .isPresent())
        .findFirst()
        .orElseThrow();
  }
}
