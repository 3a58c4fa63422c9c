package dev.semantic.store;

import static dev.semantic.store.DiskCacheStoreTest.allFiles;
import static dev.semantic.store.DiskCacheStoreTest.assertSays;
import static dev.semantic.store.Snapshots.ALPHA;
import static dev.semantic.store.Snapshots.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvEncoding;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import dev.semantic.store.format.CacheFileNames;
import dev.semantic.store.format.CacheFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Caches that only the holder of a key may read. */
class EncryptedCacheTest {
  private static final AgentId ANNA = new AgentId("anna-of-the-secret");
  private static final CacheKey KEY = key(1);
  private static final CacheKey OTHER = key(2);

  /** Five blocks of four tokens and a rest of two. */
  private static final KvSnapshot LONG =
      Snapshots.plausible(ALPHA, KvLayout.uniform(2, 2, 8), KvPrecision.FLOAT32, 22, 1);

  @TempDir Path root;
  private StandardError log;

  static CacheKey key(int seed) {
    byte[] bytes = new byte[CacheKey.BYTES];
    Arrays.fill(bytes, (byte) seed);
    return CacheKey.of(bytes);
  }

  @BeforeEach
  void listen() {
    log = new StandardError();
  }

  @AfterEach
  void close() {
    log.close();
  }

  private DiskCacheStore open(@Nullable CacheKey key, KvEncoding encoding) {
    CacheFormat form = new CacheFormat(CacheStoreContractTest.ticking(), 100, 4).with(encoding);
    return DiskCacheStore.open(root, key == null ? form : form.with(key.files()));
  }

  private DiskCacheStore open(@Nullable CacheKey key) {
    return open(key, KvEncoding.EXACT);
  }

  @ParameterizedTest
  @EnumSource
  void whatIsEncryptedComesBack(KvEncoding encoding) {
    KvSnapshot open;
    try (DiskCacheStore store = open(null, encoding)) {
      store.park(ANNA, LONG);
      open = store.load(ANNA, ALPHA).orElseThrow();
    }
    try (DiskCacheStore store = open(KEY, encoding)) {
      store.park(ANNA, LONG);
    }
    try (DiskCacheStore store = open(key(1), encoding)) {
      assertSame(open, store.load(ANNA, ALPHA).orElseThrow());
      assertEquals(ANNA, store.parked(ALPHA).getFirst().agent());
      int[] more = Arrays.copyOf(LONG.tokens(), 13);
      assertEquals(
          12, store.prefix(ALPHA, KvPrecision.FLOAT32, more).orElseThrow().tokens().length);
      store.remove(ANNA, ALPHA);
      assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
    }
  }

  @Test
  void filesTellNeitherAgentNorTokensNorNumbers() throws IOException {
    try (DiskCacheStore store = open(KEY)) {
      store.park(ANNA, LONG);
    }
    List<Path> files = allFiles(root.resolve(ALPHA.toString()));
    assertEquals(6, files.size());
    for (Path file : files) {
      byte[] bytes = Files.readAllBytes(file);
      String text = new String(bytes, StandardCharsets.ISO_8859_1);
      assertTrue(text.contains("\"cipher\":\"AES-256-GCM\""), text);
      assertTrue(text.contains("\"model\":\"alpha\""), text);
      assertTrue(text.contains(KEY.id()), text);
      for (String secret : List.of("anna", "agent", "blocks", "tokens\"", "layers")) {
        assertFalse(text.contains(secret), secret);
      }
      for (int i = 0; i + 2 <= LONG.tokens().length; i++) {
        assertAbsent(bytes, ints(LONG.tokens(), i, 2));
      }
      ByteBuffer keys = LONG.layers().getFirst().keys();
      for (int i = 0; i < keys.remaining(); i += 8) {
        byte[] number = new byte[8];
        keys.get(i, number);
        assertAbsent(bytes, number);
      }
    }
    assertTrue(
        files.stream().noneMatch(file -> file.getFileName().toString().contains("anna")),
        files.toString());
  }

  private static byte[] ints(int[] numbers, int from, int count) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(numbers, from, count);
    return bytes.array();
  }

  private static void assertAbsent(byte[] all, byte[] part) {
    String in = HexFormat.of().formatHex(all);
    int found = in.indexOf(HexFormat.of().formatHex(part));
    assertTrue(found < 0 || found % 2 != 0, "at " + found / 2);
  }

  /** Whoever guesses the tokens, and has the model, cannot compute what the files are called. */
  @Test
  void namesCannotBeGuessed() throws IOException {
    Set<String> names = new HashSet<>();
    for (CacheKey key : Arrays.asList(null, KEY, OTHER)) {
      try (DiskCacheStore store = open(key)) {
        store.park(ANNA, LONG);
      }
    }
    for (Path file : allFiles(root.resolve(ALPHA.toString()))) {
      String name = file.getFileName().toString();
      names.addAll(List.of(name.split("[-.]")));
    }
    names.removeAll(List.of("kv", "kvb", "anna", "of", "the", "secret"));
    assertEquals(3 * (1 + 5 * 2), names.size(), names.toString());
  }

  @Test
  void theSameIsNeverEncryptedTheSame() throws IOException {
    Set<String> pieces = new HashSet<>();
    int count = 0;
    for (int i = 0; i < 3; i++) {
      try (DiskCacheStore store = open(KEY)) {
        store.park(ANNA, LONG);
        for (Path file : allFiles(root.resolve(ALPHA.toString()))) {
          byte[] bytes = Files.readAllBytes(file);
          int from = 24 + ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(12);
          for (; from + 16 <= bytes.length; from += 16) {
            pieces.add(HexFormat.of().formatHex(bytes, from, from + 16));
            count++;
          }
        }
        store.remove(ANNA, ALPHA);
      }
    }
    assertTrue(count > 1000, "pieces: " + count);
    assertEquals(count, pieces.size(), "the same key and nonce twice");
  }

  @Test
  void aMissingOrWrongKeyIsAMissAndHarmsNothing() throws IOException {
    try (DiskCacheStore store = open(KEY)) {
      store.park(ANNA, LONG);
      store.park(new AgentId("bert"), LONG);
    }
    List<Path> before = allFiles(root.resolve(ALPHA.toString()));
    for (CacheKey key : Arrays.asList(null, OTHER)) {
      log.clear();
      try (DiskCacheStore store = open(key)) {
        assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
        assertEquals(List.of(), store.parked(ALPHA));
        assertEquals(Optional.empty(), store.prefix(ALPHA, KvPrecision.FLOAT32, LONG.tokens()));
        assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
      }
      assertEquals(1, log.text().lines().count(), log.text());
      assertTrue(log.text().contains("encrypted with cache key " + KEY.id()), log.text());
      assertTrue(
          log.text().contains(key == null ? "this store has no key" : OTHER.id()), log.text());
      assertTrue(log.text().contains("2 of them"), log.text());
    }
    log.clear();
    try (DiskCacheStore store = open(OTHER)) { // beside the others, and away again
      store.park(ANNA, LONG);
      assertSame(LONG, store.load(ANNA, ALPHA).orElseThrow());
      store.remove(ANNA, ALPHA);
    }
    assertTrue(allFiles(root.resolve(ALPHA.toString())).containsAll(before));
    assertFalse(Files.exists(root.resolve(".quarantine")));
    try (DiskCacheStore store = open(KEY)) {
      assertSame(LONG, store.load(ANNA, ALPHA).orElseThrow());
    }
  }

  @Test
  void aStoreWithAKeyUsesNothingThatIsOpen() throws IOException {
    try (DiskCacheStore store = open(null)) {
      store.park(ANNA, LONG);
    }
    Path open = CacheFileNames.file(root, ANNA, ALPHA);
    try (DiskCacheStore store = open(KEY)) {
      store.park(ANNA, LONG);
      assertTrue(log.text().contains("it is not encrypted"), log.text());
      Path sealed =
          allFiles(root.resolve(ALPHA.toString())).stream()
              .filter(file -> file.getFileName().toString().matches("[0-9a-f]{32}\\.kv"))
              .findFirst()
              .orElseThrow();
      Files.copy(open, sealed, java.nio.file.StandardCopyOption.REPLACE_EXISTING); // put there
      assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
      assertEquals(List.of(), store.parked(ALPHA));
      assertTrue(Files.exists(sealed));
    }
    try (DiskCacheStore store = open(null)) {
      assertSame(LONG, store.load(ANNA, ALPHA).orElseThrow());
    }
  }

  @Test
  void aKeyTellsItsIdAndNothingElse() {
    byte[] bytes = CacheKey.random();
    CacheKey key = CacheKey.of(bytes);
    assertNotEquals(HexFormat.of().formatHex(bytes), HexFormat.of().formatHex(CacheKey.random()));
    assertTrue(key.id().matches("[0-9a-f]{16}"), key.id());
    assertEquals("cache key " + key.id(), key.toString());
    assertFalse(HexFormat.of().formatHex(bytes).contains(key.id()));
    assertEquals(key.id(), CacheKey.of(bytes).id());
    bytes[0] ^= 1;
    assertNotEquals(key.id(), CacheKey.of(bytes).id());
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> CacheKey.of(new byte[] {77, 78}));
    assertSays("32 bytes; these are 2", refused);
    assertFalse(String.valueOf(refused.getMessage()).contains("77"), refused::toString);
    CacheFormat form = new CacheFormat(CacheStoreContractTest.ticking(), 64, 4).with(KEY.files());
    assertFalse(form.toString().contains("01010101"), form.toString());
  }

  /** What is changed behind the host's back, with every checksum put right. */
  @Test
  void anotherAgentsFileUnderThisNameIsNeverUsed() throws IOException {
    AgentId eve = new AgentId("eve");
    try (DiskCacheStore store = open(KEY)) {
      store.park(ANNA, LONG);
      CacheFormat form =
          new CacheFormat(CacheStoreContractTest.ticking(), 100, 4).with(KEY.files());
      Files.copy(form.file(root, ANNA, ALPHA), form.file(root, eve, ALPHA));
      assertEquals(Optional.empty(), store.load(eve, ALPHA));
      assertTrue(log.text().contains("Moved to"), log.text());
      assertSame(LONG, store.load(ANNA, ALPHA).orElseThrow());
    }
  }
}
