package dev.semantic.store;

import static dev.semantic.store.DiskCacheStoreTest.allFiles;
import static dev.semantic.store.DiskCacheStoreTest.crc;
import static dev.semantic.store.DiskCacheStoreTest.files;
import static dev.semantic.store.Snapshots.ALPHA;
import static dev.semantic.store.Snapshots.assertSame;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvEncoding;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvLayout.Layer;
import dev.semantic.model.KvPrecision;
import dev.semantic.store.format.CacheFileNames;
import dev.semantic.store.format.CacheFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Whatever becomes of the bytes of an agent's file or of a block, in any form: a miss, put aside;
 * never an exception, never another number or token.
 */
class MutatedFilesTest {
  private static final AgentId ANNA = new AgentId("anna");
  private static final AgentId BERT = new AgentId("bert");
  private static final int MUTATIONS = 10_000;
  private static final Clock CLOCK = Clock.fixed(Instant.EPOCH, ZoneOffset.UTC);

  /** One block of four tokens, and a rest of two in every layer. */
  private static final KvLayout LAYOUT =
      new KvLayout(List.of(new Layer(1, 5, 0), new Layer(2, 1, 2)));

  private static final KvSnapshot ANNAS = snapshot(1);
  private static final KvSnapshot BERTS = snapshot(2);

  @TempDir(factory = MemoryDirectory.class)
  Path root;

  private StandardError log;

  /** What files are like. */
  enum Form {
    EXACT(KvEncoding.EXACT, false),
    Q4(KvEncoding.Q4, false),
    ENCRYPTED(KvEncoding.Q8, true);

    private final KvEncoding encoding;
    private final boolean encrypted;

    Form(KvEncoding encoding, boolean encrypted) {
      this.encoding = encoding;
      this.encrypted = encrypted;
    }

    CacheFormat form() {
      CacheFormat open = new CacheFormat(CLOCK, 64, 4).with(encoding);
      return encrypted ? open.with(EncryptedCacheTest.key(1).files()) : open;
    }
  }

  private static KvSnapshot snapshot(long seed) {
    return Snapshots.plausible(ALPHA, LAYOUT, KvPrecision.FLOAT16, 6, seed);
  }

  @BeforeEach
  void listen() {
    log = new StandardError();
  }

  @AfterEach
  void close() {
    log.close();
  }

  /** A store with two agents, whose files may be changed and are put right again. */
  private final class House implements AutoCloseable {
    private final DiskCacheStore store;
    private final KvSnapshot expected;
    private final Path own;
    private final Path block;
    private final byte[] ownBytes;
    private final byte[] blockBytes;
    private final byte[] othersOwn;
    private final byte[] othersBlock;
    private int misses;

    House(Form form) throws IOException {
      store = DiskCacheStore.open(root, form.form());
      store.park(BERT, BERTS);
      Path othersBlocks = CacheFileNames.directory(root, ALPHA).resolve(CacheFileNames.BLOCKS);
      othersBlock = Files.readAllBytes(files(othersBlocks).getFirst());
      othersOwn = Files.readAllBytes(form.form().file(root, BERT, ALPHA));
      Path before = files(othersBlocks).getFirst();
      store.park(ANNA, ANNAS);
      expected = store.load(ANNA, ALPHA).orElseThrow();
      own = form.form().file(root, ANNA, ALPHA);
      block =
          files(othersBlocks).stream()
              .filter(file -> !file.equals(before))
              .findFirst()
              .orElseThrow();
      ownBytes = Files.readAllBytes(own);
      blockBytes = Files.readAllBytes(block);
    }

    List<Path> targets() {
      return List.of(own, block);
    }

    byte[] good(Path file) {
      return file.equals(own) ? ownBytes : blockBytes;
    }

    byte[] others(Path file) {
      return file.equals(own) ? othersOwn : othersBlock;
    }

    /** Changes a file, sees that nothing comes of it, and puts everything right again. */
    void assertPutAside(Path file, byte[] bad, String what) throws IOException {
      Files.write(file, bad);
      assertEquals(Optional.empty(), store.load(ANNA, ALPHA), what);
      assertFalse(Files.exists(file), what);
      assertFalse(Files.exists(own), what);
      List<Path> aside = files(root.resolve(".quarantine"));
      assertEquals(file.equals(own) ? 1 : 2, aside.size(), what);
      restore(aside);
      misses++;
    }

    /** The same for what could be meant: an edited header with every checksum put right. */
    void assertNothingWrong(Path file, byte[] bad, String what) throws IOException {
      Files.write(file, bad);
      Optional<KvSnapshot> found = store.load(ANNA, ALPHA);
      if (found.isPresent()) {
        KvSnapshot snapshot = found.get();
        assertArrayEquals(expected.tokens(), snapshot.tokens(), what);
        assertEquals(expected.tag(), snapshot.tag(), what);
        boolean refused = // by the model, before it takes anything over
            !snapshot.layout().equals(expected.layout())
                || snapshot.precision() != expected.precision();
        assertTrue(refused || snapshot.layers().equals(expected.layers()), what);
      } else {
        misses++;
      }
      store.parked(ALPHA);
      Path quarantine = root.resolve(".quarantine");
      restore(Files.exists(quarantine) ? files(quarantine) : List.of());
    }

    private void restore(List<Path> aside) throws IOException {
      for (Path each : aside) {
        Files.delete(each);
      }
      Files.write(own, ownBytes);
      Files.write(block, blockBytes);
      log.clear();
    }

    /** Checks that what was damaged in between is good again: that it was read at all. */
    @Override
    public void close() {
      assertSame(expected, store.load(ANNA, ALPHA).orElseThrow());
      store.close();
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyTruncationIsAMiss(Form form) throws IOException {
    try (House house = new House(form)) {
      for (Path file : house.targets()) {
        byte[] good = house.good(file);
        for (int length = 0; length < good.length; length++) {
          house.assertPutAside(file, Arrays.copyOf(good, length), "cut to " + length);
        }
      }
      assertTrue(house.misses > 1000, "cuts: " + house.misses);
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyFlippedBitIsAMiss(Form form) throws IOException {
    try (House house = new House(form)) {
      for (Path file : house.targets()) {
        byte[] good = house.good(file);
        for (int bit = 0; bit < 8 * good.length; bit++) {
          byte[] bad = good.clone();
          bad[bit / 8] ^= (byte) (1 << bit % 8);
          house.assertPutAside(file, bad, "bit " + bit);
        }
      }
      assertTrue(house.misses > 8000, "flips: " + house.misses);
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyMutationIsAMiss(Form form) throws IOException {
    try (House house = new House(form)) {
      for (long seed = 0; seed < MUTATIONS; seed++) {
        Random random = new Random(seed);
        Path file = house.targets().get(random.nextInt(2));
        byte[] good = house.good(file);
        byte[] bad = mutate(good, house.others(file), random);
        if (!Arrays.equals(bad, good)) {
          house.assertPutAside(file, bad, "seed " + seed);
        }
      }
      assertTrue(house.misses > MUTATIONS * 9 / 10, "changed: " + house.misses);
    }
  }

  private static byte[] mutate(byte[] good, byte[] other, Random random) {
    byte[] bad = good.clone();
    int from = random.nextInt(bad.length);
    int length = 1 + random.nextInt(Math.min(80, bad.length - from));
    int to = random.nextInt(bad.length - length + 1);
    switch (random.nextInt(8)) {
      case 0 -> Arrays.fill(bad, from, from + length, (byte) random.nextInt());
      case 1 -> System.arraycopy(good, from, bad, to, length);
      case 2 -> {
        for (int i = 0; i < length; i++) {
          bad[random.nextInt(bad.length)] = (byte) random.nextInt();
        }
      }
      case 3 -> bad = Arrays.copyOf(bad, bad.length + length);
      case 4 -> { // bytes lost in the middle, as when a page was never written
        System.arraycopy(good, from + length, bad, from, bad.length - from - length);
        bad = Arrays.copyOf(bad, bad.length - length);
      }
      case 5 -> { // two stretches change places
        System.arraycopy(good, from, bad, to, length);
        System.arraycopy(good, to, bad, from, length);
      }
      case 6 -> { // the same stretch of another file, up to its end now and then
        int most = Math.min(good.length, other.length) - from;
        int taken = random.nextBoolean() ? most : Math.min(most, length);
        System.arraycopy(other, from, bad, from, Math.max(0, taken));
      }
      default -> bad = random.nextInt(50) == 0 ? other.clone() : join(good, other, from);
    }
    return bad;
  }

  /** The beginning of one file and the end of another. */
  private static byte[] join(byte[] one, byte[] other, int at) {
    int cut = Math.min(at, other.length);
    byte[] joined = Arrays.copyOf(one, cut + other.length - cut);
    System.arraycopy(other, cut, joined, cut, other.length - cut);
    return joined;
  }

  @ParameterizedTest
  @EnumSource
  void anEditedHeaderDeceivesNobody(Form form) throws IOException {
    try (House house = new House(form)) {
      for (long seed = 0; seed < MUTATIONS / 4; seed++) {
        Random random = new Random(seed);
        Path file = house.targets().get(random.nextInt(2));
        byte[] bad = withHeader(house.good(file), random, form == Form.ENCRYPTED);
        house.assertNothingWrong(file, bad, "seed " + seed);
      }
      assertTrue(house.misses > MUTATIONS / 8, "misses: " + house.misses);
    }
  }

  /** The same file with another header, and all checksums put right. */
  private static byte[] withHeader(byte[] file, Random random, boolean encrypted) {
    int length = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt(12);
    String header = new String(file, 24, length, StandardCharsets.ISO_8859_1);
    byte[] json = edit(header.stripTrailing(), random).getBytes(StandardCharsets.ISO_8859_1);
    json = json.length <= length ? padded(json, length) : json;
    ByteBuffer changed =
        ByteBuffer.allocate(file.length - length + json.length).order(ByteOrder.LITTLE_ENDIAN);
    changed.put(file, 0, 12).putInt(json.length).putInt(crc(json, json.length));
    changed.putInt(crc(changed.array(), 20)).put(json);
    changed.put(file, 24 + length, file.length - 24 - length);
    if (!encrypted) { // of ids, and keys and values of the layers that have any here
      int blocks = header.contains("\"block\"") ? 3 : 5;
      int table = changed.limit() - 4 - 4 * blocks;
      byte[] sealed = new byte[20 + 4 * blocks];
      changed.get(0, sealed, 0, 20).get(table, sealed, 20, 4 * blocks);
      changed.putInt(changed.limit() - 4, crc(sealed, sealed.length));
    }
    return changed.array();
  }

  private static byte[] padded(byte[] json, int length) {
    byte[] padded = Arrays.copyOf(json, length);
    Arrays.fill(padded, json.length, length, (byte) ' ');
    return padded;
  }

  private static String edit(String header, Random random) {
    StringBuilder edited = new StringBuilder(header);
    for (int i = 1 + random.nextInt(2); i > 0; i--) {
      switch (random.nextInt(5)) {
        case 0 -> { // a number
          List<Integer> digits = new ArrayList<>();
          for (int at = 0; at < edited.length(); at++) {
            if (Character.isDigit(edited.charAt(at))) {
              digits.add(at);
            }
          }
          int at = digits.get(random.nextInt(digits.size()));
          edited.setCharAt(at, (char) ('0' + random.nextInt(10)));
        }
        case 1 -> {
          int at = random.nextInt(edited.length());
          edited.setCharAt(at, (char) (' ' + random.nextInt(95)));
        }
        case 2 -> edited.deleteCharAt(random.nextInt(edited.length()));
        case 3 -> edited.insert(random.nextInt(edited.length()), random.nextInt(100_000));
        default -> replaceWord(edited, random);
      }
    }
    return edited.toString();
  }

  private static final List<String> WORDS =
      List.of("FLOAT16", "BFLOAT16", "FLOAT32", "EXACT", "Q8", "Q4", "[]", "null", "2147483647");

  private static void replaceWord(StringBuilder edited, Random random) {
    String word = WORDS.get(random.nextInt(WORDS.size()));
    int at = edited.indexOf(word);
    int end = at + word.length();
    if (at < 0) {
      at = edited.indexOf(":", random.nextInt(edited.length())) + 1;
      end = at;
    }
    edited.replace(at, end, WORDS.get(random.nextInt(WORDS.size())));
  }

  @ParameterizedTest
  @EnumSource
  void aBlockThatIsMissingIsAMiss(Form form) throws IOException {
    try (House house = new House(form)) {
      Files.delete(house.block);
      assertEquals(Optional.empty(), house.store.load(ANNA, ALPHA));
      house.restore(files(root.resolve(".quarantine")));
      assertEquals(4, allFiles(root.resolve(ALPHA.toString())).size());
    }
  }
}
