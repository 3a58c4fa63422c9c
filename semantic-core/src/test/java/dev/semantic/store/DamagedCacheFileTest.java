package dev.semantic.store;

import static dev.semantic.store.DiskCacheStoreTest.crc;
import static dev.semantic.store.DiskCacheStoreTest.files;
import static dev.semantic.store.Snapshots.ALPHA;
import static dev.semantic.store.Snapshots.assertSame;
import static dev.semantic.store.Snapshots.small;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.AgentId;
import dev.semantic.store.format.CacheFileNames;
import dev.semantic.store.format.CacheFormat;
import dev.semantic.store.format.FileMagic;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is wrong with a file on purpose, and what is said of it; see also MutatedFilesTest. */
class DamagedCacheFileTest {
  private static final AgentId ANNA = new AgentId("anna");

  @TempDir Path root;
  private DiskCacheStore store;
  private StandardError log;
  private Path file;
  private byte[] good;

  @BeforeEach
  void park() throws IOException {
    log = new StandardError();
    store = DiskCacheStore.open(root, new CacheFormat(CacheStoreContractTest.ticking(), 64, 256));
    store.park(ANNA, small(ALPHA, 1));
    file = CacheFileNames.file(root, ANNA, ALPHA);
    good = Files.readAllBytes(file);
  }

  @AfterEach
  void close() {
    log.close();
    store.close();
  }

  /** A body of one file behind the header of another, each of which is whole. */
  @Test
  void aBodyFromAnotherFileIsAMiss() throws IOException {
    store.park(ANNA, small(ALPHA, 2));
    byte[] other = Files.readAllBytes(file);
    byte[] mixed = other.clone();
    int header = FileMagic.BYTES + headerBytes(good);
    System.arraycopy(good, 0, mixed, 0, header);
    assertFalse(Arrays.equals(mixed, other), "the two were parked at the same instant");
    assertPutAside(mixed, "mixed");
    assertTrue(log.text().contains("the table of checksums"), log.text());
  }

  /** Numbers that nobody wrote by accident: every checksum holds. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"tokens\":7 | \"tokens\":2147483647",
        "\"tokens\":7 | \"tokens\":-1",
        "\"tokens\":7 | \"tokens\":99999999999",
        "\"tokens\":7 | \"tokens\":6",
        "\"tokens\":7 | \"tokens\":8",
        "\"tokens\":7 | \"tokens\":\"7\"",
        "\"tokens\":7 | \"tokenz\":7",
        "\"kvHeads\":2 | \"kvHeads\":2147483647",
        "\"kvHeads\":2,\"headDim\":4 | \"kvHeads\":2147483647,\"headDim\":2147483647",
        "\"kvHeads\":2 | \"kvHeads\":0",
        "\"kvHeads\":2,\"headDim\":4 | \"kvHeads\":4,\"headDim\":2",
        "\"window\":5 | \"window\":6",
        "\"window\":5 | \"window\":0",
        "\"start\":0 | \"start\":-7",
        "\"start\":2,\"length\":5 | \"start\":1,\"length\":5",
        "\"blockBytes\":64 | \"blockBytes\":1",
        "\"blockBytes\":64 | \"blockBytes\":0",
        "\"blockBytes\":64 | \"blockBytes\":65",
        "\"blockBytes\":64 | \"blockBytes\":2147483647",
        "FLOAT16 | FLOAT32",
        "FLOAT16 | FLOAT12",
        "\"layers\":[ | \"layers\":7,\"others\":[",
        "\"layers\":[ | \"layers\":[],\"others\":[",
        "\"layers\":[ | \"layers\":[7,",
        "\"agent\":\"anna\" | \"agent\":\" \"",
        "\"agent\":\"anna\" | \"agent\":null",
        "\"model\":\"alpha\" | \"model\":\"../alpha\"",
        "\"fingerprint\":\"a1 | \"fingerprint\":\"A1",
        "\"parked\":\"2 | \"parked\":\"x2",
        "{ | [",
        "} | ",
      })
  void aHeaderThatMakesNoSenseIsAMiss(String is, String becomes) throws IOException {
    String changed = becomes == null ? "" : becomes;
    byte[] bad = withHeader(good, header -> header.replace(is, changed));
    assertFalse(Arrays.equals(bad, good), "nothing was changed: " + is);
    // Another shape of the same size is another layout, which the model refuses when it restores.
    if (changed.equals("\"kvHeads\":4,\"headDim\":2")) {
      Files.write(file, bad);
      assertEquals(4, store.load(ANNA, ALPHA).orElseThrow().layout().layers().getFirst().kvHeads());
    } else {
      assertPutAside(bad, is + " -> " + changed);
    }
  }

  @Test
  void anUnknownFieldIsIgnored() throws IOException {
    byte[] more = withHeader(good, header -> header.replace("{\"agent\"", "{\"x\":[1],\"agent\""));
    assertFalse(Arrays.equals(more, good));
    Files.write(file, more);
    assertSame(small(ALPHA, 1), store.load(ANNA, ALPHA).orElseThrow());
  }

  @Test
  void aHeaderLongerThanAnyIsAMiss() throws IOException {
    for (int length : new int[] {-1, Integer.MIN_VALUE, Integer.MAX_VALUE, 4 << 20, good.length}) {
      byte[] bad = good.clone();
      ByteBuffer.wrap(bad).order(ByteOrder.LITTLE_ENDIAN).putInt(12, length);
      ByteBuffer.wrap(bad).order(ByteOrder.LITTLE_ENDIAN).putInt(20, crc(bad, 20));
      assertPutAside(bad, "header of " + length);
    }
  }

  @Test
  void theLogSaysWhatWasExpectedAndFoundAndWhere() throws IOException {
    byte[] bad = good.clone();
    bad[good.length - 40] ^= 1; // in the table
    Files.write(file, bad);
    assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
    assertTrue(
        log.text()
            .matches(
                "(?s).*WARN.*anna.*table of checksums at offset \\d+ should have checksum"
                    + " [0-9a-f]{8}, it has [0-9a-f]{8}\\. Moved to .*quarantine.*"),
        log.text());
  }

  @Test
  void listingPutsADamagedHeaderAside() throws IOException {
    byte[] bad = good.clone();
    bad[30] ^= 1;
    Files.write(file, bad);
    assertEquals(List.of(), store.parked(ALPHA));
    assertEquals(1, files(root.resolve(".quarantine")).size());
  }

  /** The same file with another header, all checksums put right. */
  private static byte[] withHeader(byte[] file, UnaryOperator<String> change) {
    int length = headerBytes(file);
    String header = new String(file, 24, length, StandardCharsets.US_ASCII).stripTrailing();
    byte[] json = change.apply(header).getBytes(StandardCharsets.US_ASCII);
    ByteBuffer changed =
        ByteBuffer.allocate(file.length - length + json.length).order(ByteOrder.LITTLE_ENDIAN);
    changed.put(file, 0, 12).putInt(json.length).putInt(crc(json, json.length));
    changed.putInt(crc(changed.array(), 20)).put(json);
    changed.put(file, 24 + length, file.length - 24 - length);
    // The seal covers the prologue; it is only reached where the number of blocks is the same.
    int blocks = 1 + 2 + 2 + 2 + 2 + 1 + 1;
    int table = changed.limit() - 4 - 4 * blocks;
    byte[] sealed = new byte[20 + 4 * blocks];
    changed.get(0, sealed, 0, 20).get(table, sealed, 20, 4 * blocks);
    return changed.putInt(changed.limit() - 4, crc(sealed, sealed.length)).array();
  }

  private static int headerBytes(byte[] file) {
    return ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt(12);
  }

  private void assertPutAside(byte[] bad, String what) throws IOException {
    Files.write(file, bad);
    assertEquals(Optional.empty(), store.load(ANNA, ALPHA), what);
    assertFalse(Files.exists(file), what);
    List<Path> aside = files(root.resolve(".quarantine"));
    assertEquals(1, aside.size(), what);
    Files.delete(aside.getFirst());
  }
}
