package dev.semantic.store;

import static dev.semantic.store.Snapshots.ALPHA;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvEncoding;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.kv.KvSnapshot.LayerKv;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvLayout.Layer;
import dev.semantic.model.KvPrecision;
import dev.semantic.store.format.CacheFormat;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A reader written from {@code docs/cache-format.md} alone ({@link PageReader}) reads what the
 * store writes, and finds it where the page says.
 */
class CacheFormatTest {
  private static final AgentId NAME = new AgentId("Anna & Zoë \uD83D\uDE00 \uD83D");
  private static final byte[] KEY = new byte[32];

  /** Heads whose numbers make one group, several, and such of different size; odd ones too. */
  private static final KvLayout LAYOUT =
      new KvLayout(
          List.of(
              new Layer(2, 64, 0),
              new Layer(1, 131, 0),
              new Layer(1, 8, 5),
              new Layer(1, 3, 5),
              new Layer(1, 3, 5)));

  @TempDir Path root;

  static {
    for (int i = 0; i < KEY.length; i++) {
      KEY[i] = (byte) i;
    }
  }

  @ParameterizedTest
  @CsvSource({
    "EXACT, BFLOAT16, false",
    "Q8, FLOAT32, false",
    "Q8, BFLOAT16, false",
    "Q4, FLOAT32, false",
    "Q4, FLOAT16, false",
    "Q4, BFLOAT16, false",
    "EXACT, FLOAT32, true",
    "Q4, FLOAT16, true"
  })
  void thePageSufficesToReadAFile(KvEncoding encoding, KvPrecision precision, boolean encrypted)
      throws Exception {
    KvSnapshot snapshot = Snapshots.plausible(ALPHA, LAYOUT, precision, 40, 1);
    byte @Nullable [] key = encrypted ? KEY : null;
    CacheFormat form = new CacheFormat(CacheStoreContractTest.ticking(), 100, 16).with(encoding);
    try (DiskCacheStore store =
        DiskCacheStore.open(root, key == null ? form : form.with(CacheKey.of(key).files()))) {
      store.park(NAME, snapshot);
      KvSnapshot found = store.load(NAME, ALPHA).orElseThrow();
      assertEquals(encoding == KvEncoding.EXACT, found.layers().equals(snapshot.layers()));

      Path file = fileOf(key);
      JsonNode header = readAndCompare(file, found, 0, key);
      checkHeader(header, encoding, precision);
      List<JsonNode> names = header.get("blocks").valueStream().toList();
      assertEquals(2, names.size());
      String seed = "a1".repeat(32) + ":" + precision + ":" + encoding + ":alpha";
      for (int i = 0; i < 2; i++) {
        String name = names.get(i).textValue();
        Path block = file.resolveSibling("blocks").resolve(name + ".kvb");
        JsonNode its = readAndCompare(block, found, 16 * i, key);
        assertEquals(name, its.get("block").textValue());
        assertEquals(16 * i, its.get("from").intValue());
        assertEquals(16 * i + 16, its.get("tokens").intValue());
        assertEquals(chain(seed, found.tokens(), 16, i + 1, key), name.substring(0, 32));
      }
    }
  }

  /** Checks every byte of a file whose first token is {@code first}. */
  private static JsonNode readAndCompare(
      Path path, KvSnapshot snapshot, int first, byte @Nullable [] key) throws Exception {
    PageReader reader = new PageReader(Files.readAllBytes(path), key);
    JsonNode header = reader.header();
    int end = header.get("tokens").intValue();
    ByteBuffer tokens = reader.section(4 * (end - first));
    for (int i = first; i < end; i++) {
      assertEquals(snapshot.tokens()[i], tokens.getInt());
    }
    int next = 0;
    for (JsonNode run : header.get("layers")) {
      for (int i = 0; i < run.get("count").intValue(); i++) {
        LayerKv expected = snapshot.layers().get(next++);
        compare(run, expected.start(), expected.keys(), reader);
        compare(run, expected.start(), expected.values(), reader);
      }
    }
    assertEquals(snapshot.layers().size(), next);
    reader.end();
    return header;
  }

  private static void compare(JsonNode layer, int held, ByteBuffer all, PageReader reader)
      throws Exception {
    int heads = layer.get("kvHeads").intValue();
    int row = reader.precisionBytes() * layer.get("headDim").intValue();
    int length = layer.get("length").intValue();
    ByteBuffer numbers = reader.numbers(heads * length, layer.get("headDim").intValue());
    for (int head = 0; head < heads && length > 0; head++) {
      int at = head * (all.remaining() / heads) + (layer.get("start").intValue() - held) * row;
      assertEquals(all.slice(at, length * row), numbers.slice(head * length * row, length * row));
    }
  }

  private static String chain(
      String seed, int[] tokens, int blockTokens, int blocks, byte @Nullable [] key)
      throws Exception {
    byte[] hash = hash(seed.getBytes(StandardCharsets.UTF_8), key);
    for (int i = 0; i < blocks; i++) {
      ByteBuffer next = ByteBuffer.allocate(32 + 4 * blockTokens);
      next.order(ByteOrder.LITTLE_ENDIAN).put(hash);
      for (int token = 0; token < blockTokens; token++) {
        next.putInt(tokens[i * blockTokens + token]);
      }
      hash = hash(next.array(), key);
    }
    return HexFormat.of().formatHex(hash).substring(0, 32);
  }

  private static byte[] hash(byte[] bytes, byte @Nullable [] key) throws Exception {
    if (key == null) {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    }
    byte[] nameKey = PageReader.hkdf(key, new byte[0], PageReader.ascii("semantic cache names"));
    return PageReader.hmac(nameKey, bytes);
  }

  private static void checkHeader(JsonNode header, KvEncoding encoding, KvPrecision precision) {
    assertEquals(NAME.name(), header.get("agent").textValue());
    assertEquals("alpha", header.get("model").textValue());
    assertEquals(ALPHA.fingerprint(), header.get("fingerprint").textValue());
    assertEquals("2026-01-01T00:00:01Z", header.get("parked").textValue());
    assertEquals(Instant.EPOCH.plusSeconds(1_767_225_601), Instant.parse("2026-01-01T00:00:01Z"));
    assertEquals(precision.name(), header.get("precision").textValue());
    assertEquals(encoding.name(), header.get("encoding").textValue());
    assertEquals(0, header.get("seams").size());
    assertEquals(40, header.get("tokens").intValue());
    assertEquals(4, header.get("layers").size());
    assertEquals(5, header.get("layers").get(2).get("window").intValue());
    assertEquals(2, header.get("layers").get(3).get("count").intValue());
  }

  private Path fileOf(byte @Nullable [] key) throws Exception {
    byte[] name = ("a1".repeat(32) + ":alpha:").getBytes(StandardCharsets.UTF_16BE);
    ByteBuffer hashed = ByteBuffer.allocate(name.length + 2 * NAME.name().length()).put(name);
    NAME.name().chars().forEach(unit -> hashed.putChar((char) unit));
    String digits = HexFormat.of().formatHex(hash(hashed.array(), key)).substring(0, 32);
    return root.resolve("alpha-a1a1a1a1a1a1a1a1")
        .resolve((key == null ? "anna-zo--" : "") + digits + ".kv");
  }

  /** The two implementations of HKDF would otherwise only have to agree with each other. */
  @Test
  void keysAreDerivedAsTheStandardHasIt() throws Exception {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(new byte[32], "HmacSHA256")); // RFC 5869, 2.2: no salt is zeros
    byte[] extracted = mac.doFinal(KEY);
    mac.init(new SecretKeySpec(extracted, "HmacSHA256"));
    mac.update(PageReader.ascii("semantic cache key id"));
    byte[] expanded = mac.doFinal(new byte[] {1});
    assertEquals(HexFormat.of().formatHex(expanded, 0, 8), CacheKey.of(KEY).id());
  }
}
