package dev.semantic.store;

import static dev.semantic.store.DiskCacheStoreTest.assertSays;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.semantic.io.PrivateFiles;
import dev.semantic.kv.AgentId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a host keeps of its agents beside their caches has the caches' protection. */
class AgentRecordsTest {
  private static final AgentId ANNA = new AgentId("anna");
  private static final AgentId BOB = new AgentId("bob");
  private static final CacheKey KEY = CacheKey.of(new byte[CacheKey.BYTES]);

  @TempDir Path root;

  private Path directory() {
    return root.resolve("conversations");
  }

  private AgentRecords records(boolean encrypted) {
    return encrypted ? AgentRecords.in(directory(), KEY) : AgentRecords.in(directory());
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatWasWrittenIsRead(boolean encrypted) throws IOException {
    AgentRecords records = records(encrypted);
    assertEquals(Optional.empty(), records.read(ANNA));
    assertFalse(Files.exists(directory()), "looking makes nothing");
    records.write(ANNA, "[\"Grüße\"]");
    records.write(BOB, "[]");
    records.write(ANNA, "[\"Grüße\", \"\uD83D\uDC4B\"]");
    assertEquals("[\"Grüße\", \"\uD83D\uDC4B\"]", records.read(ANNA).orElseThrow());
    assertEquals("[]", records(encrypted).read(BOB).orElseThrow());
    assertEquals(2, records.files().size());
    assertTrue(records.remove(ANNA));
    assertFalse(records.remove(ANNA));
    assertEquals(Optional.empty(), records.read(ANNA));
    assertEquals(List.of(records.file(BOB)), records.files());
  }

  /** Two of them have the same {@code String.hashCode} and length, two differ in case alone. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void noTwoAgentsShareAFile(boolean encrypted) {
    String tail = "x".repeat(200);
    List<String> names =
        List.of(
            "Aa" + tail, "BB" + tail, "anna", "Anna", "../anna", "an/na", "an na", "\uD800", "?");
    Set<String> files = new HashSet<>();
    for (String name : names) {
      Path file = records(encrypted).file(new AgentId(name));
      assertEquals(directory(), file.getParent(), name);
      files.add(String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT));
    }
    assertEquals(names.size(), files.size(), files::toString);
  }

  @Test
  void withoutTheKeyNothingIsSeen() throws IOException {
    records(true).write(ANNA, "a secret");
    Path file = records(true).file(ANNA);
    String all = Files.readString(file, StandardCharsets.ISO_8859_1) + file.getFileName();
    assertFalse(all.contains("secret") || all.contains("anna"), all);
    assertEquals(Optional.empty(), records(false).read(ANNA));
    byte[] other = new byte[CacheKey.BYTES];
    other[0] = 1;
    AgentRecords others = AgentRecords.in(directory(), CacheKey.of(other));
    assertEquals(Optional.empty(), others.read(ANNA));
    assertEquals(1, others.files().size());
    Files.copy(file, others.file(ANNA));
    assertSays("its tag is wrong", assertThrows(CacheException.class, () -> others.read(ANNA)));
  }

  @Test
  void whatIsNotEncryptedIsNotUsedWhereThereIsAKey() {
    records(false).write(ANNA, "forged by whoever can write here");
    assertEquals(Optional.empty(), records(true).read(ANNA));
  }

  @Test
  void everyBitOfAnEncryptedOneCounts() throws IOException {
    records(true).write(ANNA, "what was said");
    Path file = records(true).file(ANNA);
    byte[] good = Files.readAllBytes(file);
    for (int i = 0; i < good.length; i++) {
      byte[] bad = good.clone();
      bad[i] ^= (byte) (1 << (i % 8));
      Files.write(file, bad);
      assertThrows(CacheException.class, () -> records(true).read(ANNA), "byte " + i);
    }
    for (int length = 0; length < good.length; length++) {
      Files.write(file, Arrays.copyOf(good, length));
      assertThrows(CacheException.class, () -> records(true).read(ANNA), "length " + length);
    }
  }

  @Test
  void aRecordIsNoOtherAgents() throws IOException {
    records(true).write(ANNA, "anna's");
    Files.copy(records(true).file(ANNA), records(true).file(BOB));
    assertSays(
        "its tag is wrong", assertThrows(CacheException.class, () -> records(true).read(BOB)));
  }

  @Test
  void theSameTextIsNeverEncryptedAlike() throws IOException {
    records(true).write(ANNA, "hello");
    String first = Files.readString(records(true).file(ANNA), StandardCharsets.ISO_8859_1);
    records(true).write(ANNA, "hello");
    assertNotEquals(first, Files.readString(records(true).file(ANNA), StandardCharsets.ISO_8859_1));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void onlyItsOwnerReadsIt(boolean encrypted) throws IOException {
    assumeTrue(PrivateFiles.isPosix(root));
    Files.createDirectory(directory());
    Files.setPosixFilePermissions(directory(), PosixFilePermissions.fromString("rwxr-xr-x"));
    records(encrypted).write(ANNA, "[]");
    assertEquals("rwx------", mode(directory()));
    assertEquals("rw-------", mode(records(encrypted).file(ANNA)));
  }

  private static String mode(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  @Test
  void aDirectoryThatOthersMayWriteToIsRefused() throws IOException {
    assumeTrue(PrivateFiles.isPosix(root));
    records(false).write(ANNA, "[]");
    Files.setPosixFilePermissions(directory(), PosixFilePermissions.fromString("rwxrwxrwx"));
    for (Executable use :
        List.<Executable>of(
            () -> records(false).read(ANNA), () -> records(false).write(ANNA, "[]"))) {
      assertSays("chmod go-w " + directory(), assertThrows(CacheException.class, use));
    }
  }

  @Test
  void aLinkIsNotFollowed() throws IOException {
    Path precious = Files.writeString(root.resolve("precious"), "precious");
    Files.createDirectory(directory(), PrivateFiles.ofDirectory(root));
    Files.createSymbolicLink(records(false).file(ANNA), precious);
    assertSays("a link", assertThrows(CacheException.class, () -> records(false).read(ANNA)));
    records(false).write(ANNA, "[]"); // takes the link's place
    assertEquals("precious", Files.readString(precious));
    assertEquals("[]", records(false).read(ANNA).orElseThrow());
    Files.move(directory(), root.resolve("elsewhere"));
    Files.createSymbolicLink(directory(), root.resolve("elsewhere"));
    assertThrows(CacheException.class, () -> records(false).read(ANNA));
    assertThrows(CacheException.class, () -> records(false).write(ANNA, "[]"));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatCouldNotBeReadAgainIsNotWritten(boolean encrypted) {
    AgentRecords records = new AgentRecords(directory(), encrypted ? KEY.files() : null, 1000);
    int most = encrypted ? 1000 - 40 - 16 : 1000;
    String longest = "é".repeat(most / 2);
    records.write(ANNA, longest);
    assertEquals(longest, records.read(ANNA).orElseThrow());
    assertSays(
        "at most 1000",
        assertThrows(CacheException.class, () -> records.write(ANNA, longest + "x")));
    assertEquals(longest, records.read(ANNA).orElseThrow());
  }

  @Test
  void nothingIsLeftBesideIt() throws IOException {
    for (int i = 0; i < 3; i++) {
      records(false).write(ANNA, "[" + i + "]");
    }
    try (Stream<Path> all = Files.list(directory())) {
      assertEquals(1, all.count());
    }
  }
}
