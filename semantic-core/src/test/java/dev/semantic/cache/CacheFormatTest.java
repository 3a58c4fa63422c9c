package dev.semantic.cache;

import static dev.semantic.cache.Snapshots.ALPHA;
import static dev.semantic.cache.Snapshots.MIXED;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.semantic.cache.KvSnapshot.LayerKv;
import dev.semantic.model.KvPrecision;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A reader written from {@code docs/cache-format.md} alone reads what the store writes. */
class CacheFormatTest {
  private static final AgentId NAME = new AgentId("Anna & Zoë \uD83D\uDE00 \uD83D");

  @TempDir Path root;

  @Test
  void thePageSufficesToReadAFile() throws Exception {
    KvSnapshot snapshot = Snapshots.of(ALPHA, MIXED, KvPrecision.BFLOAT16, 40, 1);
    try (DiskCacheStore store =
        DiskCacheStore.open(root, new CacheForm(CacheStoreContractTest.ticking(), 100, 16))) {
      store.park(NAME, snapshot);
      Path file = fileOf(NAME.name());
      JsonNode header = readAndCompare(file, snapshot, 0);
      checkHeader(header);
      List<JsonNode> names = header.get("blocks").valueStream().toList();
      assertEquals(2, names.size());
      for (int i = 0; i < 2; i++) {
        String name = names.get(i).textValue();
        Path block = file.resolveSibling("blocks").resolve(name + ".kvb");
        JsonNode its = readAndCompare(block, snapshot, 16 * i);
        assertEquals(name, its.get("block").textValue());
        assertEquals(16 * i, its.get("from").intValue());
        assertEquals(16 * i + 16, its.get("tokens").intValue());
        assertEquals(chain(snapshot.tokens(), 16, i + 1), name.substring(0, 32));
      }
    }
  }

  /** Checks every byte of a file whose first token is {@code first}. */
  private static JsonNode readAndCompare(Path path, KvSnapshot snapshot, int first)
      throws Exception {
    byte[] file = Files.readAllBytes(path);
    Reader reader = new Reader(file);
    assertEquals("8a534b560d0a1a0a", reader.hex(8));
    assertEquals(3, reader.number());
    int headerBytes = reader.number();
    assertEquals(crc(reader.at(24, headerBytes)), reader.number());
    assertEquals(crc(reader.at(0, 20)), reader.number());
    JsonNode header = new ObjectMapper().readTree(reader.bytes(headerBytes));
    assertEquals(0, reader.in.position() % 64);

    ByteBuffer checksums = ByteBuffer.allocate(file.length).order(ByteOrder.LITTLE_ENDIAN);
    checksums.put(reader.at(0, 20));
    int block = header.get("blockBytes").intValue();
    int end = header.get("tokens").intValue();
    ByteBuffer tokens = reader.section(4 * (end - first), block, checksums);
    for (int i = first; i < end; i++) {
      assertEquals(snapshot.tokens()[i], tokens.getInt());
    }
    for (int i = 0; i < 3; i++) {
      JsonNode layer = header.get("layers").get(i);
      LayerKv expected = snapshot.layers().get(i);
      compare(layer, expected.start(), expected.keys(), reader, block, checksums);
      compare(layer, expected.start(), expected.values(), reader, block, checksums);
    }
    byte[] table = reader.bytes(checksums.position() - 20);
    byte[] sealed = new byte[checksums.position()];
    checksums.flip().get(sealed);
    assertArrayEquals(java.util.Arrays.copyOfRange(sealed, 20, sealed.length), table);
    assertEquals(crc(sealed), reader.number());
    assertEquals(0, reader.in.remaining());
    return header;
  }

  private static void compare(
      JsonNode layer, int held, ByteBuffer all, Reader reader, int block, ByteBuffer checksums)
      throws IOException {
    ByteBuffer section = reader.section(size(layer) * 2, block, checksums);
    int heads = layer.get("kvHeads").intValue();
    int row = 2 * layer.get("headDim").intValue();
    int length = layer.get("length").intValue();
    for (int head = 0; head < heads && length > 0; head++) {
      int at = head * (all.remaining() / heads) + (layer.get("start").intValue() - held) * row;
      assertEquals(all.slice(at, length * row), section.slice(head * length * row, length * row));
    }
  }

  private static String chain(int[] tokens, int blockTokens, int blocks) throws Exception {
    MessageDigest sha = MessageDigest.getInstance("SHA-256");
    String seed = "a1".repeat(32) + ":BFLOAT16:EXACT:alpha";
    byte[] hash = sha.digest(seed.getBytes(StandardCharsets.UTF_8));
    for (int i = 0; i < blocks; i++) {
      ByteBuffer ids = ByteBuffer.allocate(4 * blockTokens).order(ByteOrder.LITTLE_ENDIAN);
      ids.asIntBuffer().put(tokens, i * blockTokens, blockTokens);
      sha.update(hash);
      hash = sha.digest(ids.array());
    }
    return HexFormat.of().formatHex(hash).substring(0, 32);
  }

  private static void checkHeader(JsonNode header) {
    assertEquals(NAME.name(), header.get("agent").textValue());
    assertEquals("alpha", header.get("model").textValue());
    assertEquals(ALPHA.fingerprint(), header.get("fingerprint").textValue());
    assertEquals("2026-01-01T00:00:01Z", header.get("parked").textValue());
    assertEquals(Instant.EPOCH.plusSeconds(1_767_225_601), Instant.parse("2026-01-01T00:00:01Z"));
    assertEquals("BFLOAT16", header.get("precision").textValue());
    assertEquals("EXACT", header.get("encoding").textValue());
    assertEquals(0, header.get("seams").size());
    assertEquals(40, header.get("tokens").intValue());
    assertEquals(3, header.get("layers").size());
    assertEquals(5, header.get("layers").get(1).get("window").intValue());
  }

  private static int size(JsonNode layer) {
    return layer.get("kvHeads").intValue()
        * layer.get("length").intValue()
        * layer.get("headDim").intValue();
  }

  private Path fileOf(String agent) throws Exception {
    byte[] name = ("a1".repeat(32) + ":alpha:").getBytes(StandardCharsets.UTF_16BE);
    ByteBuffer hashed = ByteBuffer.allocate(name.length + 2 * agent.length()).put(name);
    agent.chars().forEach(unit -> hashed.putChar((char) unit));
    byte[] hash = MessageDigest.getInstance("SHA-256").digest(hashed.array());
    String digits = HexFormat.of().formatHex(hash).substring(0, 32);
    return root.resolve("alpha-a1a1a1a1a1a1a1a1").resolve("anna-zo--" + digits + ".kv");
  }

  private static int crc(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  private static final class Reader {
    private final ByteBuffer in;

    Reader(byte[] file) {
      in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    }

    int number() {
      return in.getInt();
    }

    byte[] bytes(int length) {
      byte[] bytes = new byte[length];
      in.get(bytes);
      return bytes;
    }

    byte[] at(int offset, int length) {
      byte[] bytes = new byte[length];
      in.get(offset, bytes);
      return bytes;
    }

    String hex(int length) {
      return HexFormat.of().formatHex(bytes(length));
    }

    /** Adds the checksums of its blocks to those that the table should have. */
    ByteBuffer section(int length, int block, ByteBuffer checksums) throws IOException {
      ByteBuffer section = ByteBuffer.wrap(bytes(length)).order(ByteOrder.LITTLE_ENDIAN);
      for (int start = 0; start < length; start += block) {
        byte[] each = new byte[Math.min(block, length - start)];
        section.get(start, each);
        checksums.putInt(crc(each));
      }
      return section;
    }
  }
}
