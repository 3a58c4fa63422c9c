package dev.semantic.examples.cli;

import static dev.semantic.examples.cli.InProcess.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.semantic.examples.chat.Conversations;
import dev.semantic.examples.testing.Run;
import dev.semantic.kv.AgentId;
import dev.semantic.store.AgentRecords;
import dev.semantic.store.CacheKey;
import dev.semantic.store.DiskCacheStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands about parked caches, over a directory that is encrypted. */
class KeyFileTest {
  private static final byte[] KEY = CacheKey.random();

  @TempDir private Path directory = Path.of("");
  private Path caches = Path.of("");

  @BeforeEach
  void fill() {
    caches = directory.resolve("caches");
    try (DiskCacheStore store =
        DiskCacheStore.builder(caches).encryption(CacheKey.of(KEY)).open()) {
      store.park(new AgentId("ada"), CachesCommandTest.snapshot(CachesCommandTest.ALPHA, 300, 1));
      store.park(new AgentId("bob"), CachesCommandTest.snapshot(CachesCommandTest.BETA, 10, 2));
    }
  }

  private Path file(String content) throws IOException {
    return raw(content.getBytes(StandardCharsets.ISO_8859_1));
  }

  private Path raw(byte[] key) throws IOException {
    return mode("rw-------", Files.write(directory.resolve("key"), key));
  }

  private static Path mode(String mode, Path file) throws IOException {
    return Files.getFileStore(file).supportsFileAttributeView("posix")
        ? Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode))
        : file;
  }

  private Run caches(String command, Path key, String... more) {
    List<String> words = new ArrayList<>(List.of("caches", command));
    words.addAll(List.of("--cache-dir", caches.toString(), "--key-file", key.toString()));
    words.addAll(Arrays.asList(more));
    return run(words.toArray(String[]::new));
  }

  private static void assertSilent(Run run, byte[] key) {
    String said = run.out() + run.err();
    assertFalse(said.contains(HexFormat.of().formatHex(key, 0, 4)), said);
    assertFalse(said.contains(Base64.getEncoder().encodeToString(key).substring(0, 6)), said);
    assertFalse(said.contains(new String(key, 0, 4, StandardCharsets.ISO_8859_1)), said);
  }

  @ParameterizedTest
  @ValueSource(strings = {"raw", "hexadecimal", "HEXADECIMAL", "base64"})
  void aKeyIsReadAsItIsWritten(String form) throws IOException {
    Path file =
        switch (form) {
          case "raw" -> raw(KEY);
          case "hexadecimal" -> file(HexFormat.of().formatHex(KEY) + "\n");
          case "base64" -> file(Base64.getEncoder().encodeToString(KEY) + "\r\n");
          default -> file(HexFormat.of().withUpperCase().formatHex(KEY));
        };
    JsonNode all = caches("list", file, "--json").json("caches").get("caches");
    assertEquals(2, all.size());
    assertEquals("ada", all.get(0).get("agent").asText());
    assertSilent(caches("list", file), KEY);
  }

  @Test
  void everyCommandTakesIt() throws IOException {
    Path key = raw(KEY);
    assertEquals("2 of 2 caches are whole\n", caches("verify", key).out());
    assertEquals(0, caches("show", key, "--agent", "ada").code());
    String out = directory.resolve("ada.kv").toString();
    assertEquals(0, caches("export", key, "--agent", "ada", "--out", out).code());
    assertEquals(0, caches("archive", key, "--agent", "bob").code());
    assertTrue(caches("purge", key, "--agent", "bob", "--yes").out().startsWith("Removed 1"));
    caches = directory.resolve("other machine");
    Run imported = caches("import", key, out);
    assertEquals(0, imported.code(), imported::toString);
    assertTrue(caches("list", key).out().contains("ada"));
  }

  @Test
  void encryptedConversationsArePurgedToo() throws IOException {
    Conversations conversations = new Conversations(caches);
    AgentRecords records = conversations.records(Optional.of(CacheKey.of(KEY)));
    records.write(new AgentId("ada"), "[]");
    records.write(new AgentId("eve"), "[]");
    caches("purge", raw(KEY), "--agent", "ada", "--yes");
    assertEquals(List.of(records.file(new AgentId("eve"))), conversations.files());
    caches("purge", raw(KEY), "--all", "--yes");
    assertEquals(List.of(), conversations.files());
  }

  @ParameterizedTest
  @ValueSource(strings = {"rw-r--r--", "rw-r-----", "rw----r--", "rw--w----", "rw--w--w-"})
  void aKeyThatOthersMayReadOrExchangeIsRefusedWithTheRemedy(String mode) throws IOException {
    Path key = mode(mode, raw(KEY));
    assumeTrue(Files.getFileStore(key).supportsFileAttributeView("posix"));
    for (String command : List.of("list", "verify")) {
      Run run = caches(command, key);
      run.assertFailed(1, key.toString(), mode, "chmod 600 " + key.toRealPath());
      assertSilent(run, KEY);
    }
    Path link = Files.createSymbolicLink(directory.resolve("link"), key); // as the file it leads to
    caches("list", link).assertFailed(1, "chmod 600");
    assertEquals(0, caches("list", mode("r--------", key)).code());
    assertEquals(0, caches("list", link).code());
  }

  @Test
  void aKeyInADirectoryThatOthersMayWriteToIsRefusedWithTheRemedy() throws IOException {
    Path shared = Files.createDirectory(directory.resolve("shared"));
    Path key = mode("rw-------", Files.write(shared.resolve("key"), KEY));
    assumeTrue(Files.getFileStore(key).supportsFileAttributeView("posix"));
    mode("rwxrwxrwx", shared);
    caches("list", key).assertFailed(1, key.toString(), "chmod go-w " + shared.toRealPath());
    mode("rwxr-xr-x", shared);
    assertEquals(0, caches("list", key).code());
  }

  @Test
  void aKeyOfAnotherUserIsRefused() throws IOException {
    Path key = raw(KEY);
    assumeTrue("root".equals(System.getProperty("user.name")), "only root can give a file away");
    Files.setAttribute(key, "unix:uid", 54321);
    caches("list", key).assertFailed(1, key.toString(), "belongs to 54321");
  }

  @Test
  void aKeyWithoutADirectoryIsAMistake() throws IOException {
    run("chat", "no model", "--key-file", raw(KEY).toString()).assertFailed(2, "--cache-dir");
  }

  @Test
  void aWrongKeyIsRefusedAndNothingChanges() throws IOException {
    byte[] other = CacheKey.random();
    Path key = raw(other);
    String[] words = {"does not hold the key", CacheKey.of(KEY).id(), CacheKey.of(other).id()};
    for (String command : List.of("list", "verify", "show")) {
      Run run = caches(command, key);
      run.assertFailed(1, words);
      assertSilent(run, KEY);
      assertSilent(run, other);
    }
    String out = directory.resolve("ada.kv").toString();
    caches("export", key, "--agent", "ada", "--out", out).assertFailed(1, words);
    caches("archive", key, "--all").assertFailed(1, words);
    caches("purge", key, "--all", "--yes").assertFailed(1, words);
    caches("import", key, out).assertFailed(1, words);
    run(
            "generate",
            directory.resolve("no model").toString(),
            "--prompt",
            "x",
            "--agent",
            "ada",
            "--cache-dir",
            caches.toString(),
            "--key-file",
            directory.resolve("no key").toString())
        .assertFailed(1, "no model");
    assertEquals("2 of 2 caches are whole\n", caches("verify", raw(KEY)).out());
  }

  /** Without a key, too, it is said why a cache is not found. */
  @Test
  void withoutAKeyNothingIsSeen() {
    run("caches", "show", "--cache-dir", caches.toString(), "--agent", "ada")
        .assertFailed(1, "no such cache", "encrypted with cache key", "no key");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "secret-word", "zz", "0123456789abcdef"})
  void whatIsNoKeyIsNamedNotShown(String content) throws IOException {
    Path file = file(content);
    Run run = caches("list", file);
    run.assertFailed(1, file.toString(), "holds no key", "32 bytes");
    assertFalse(!content.isEmpty() && run.err().contains(content), run.err());
    Path nowhere = directory.resolve("nowhere");
    caches("list", nowhere).assertFailed(1, nowhere.toString(), "Cannot read key file");
  }
}
