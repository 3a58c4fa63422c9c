package dev.semantic.examples.cli;

import static dev.semantic.examples.cli.InProcess.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.semantic.examples.chat.Conversations;
import dev.semantic.examples.testing.Run;
import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.kv.KvSnapshot.LayerKv;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelTag;
import dev.semantic.store.DiskCacheStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands about parked caches, over a directory that a store has filled. */
class CachesCommandTest {
  static final ModelTag ALPHA = new ModelTag("alpha-1b", "a1".repeat(32));
  private static final ModelTag OTHER_ALPHA = new ModelTag("alpha-1b", "c3".repeat(32));
  static final ModelTag BETA = new ModelTag("beta", "b2".repeat(32));
  private static final String[] CACHE = {
    "agent", "model", "fingerprint", "tokens", "bytes", "parked", "state"
  };

  @TempDir private Path directory = Path.of("");
  private Path caches = Path.of("");

  @BeforeEach
  void fill() {
    caches = directory.resolve("caches");
    try (DiskCacheStore store = DiskCacheStore.open(caches)) {
      store.park(new AgentId("ada"), snapshot(ALPHA, 300, 1));
      store.park(new AgentId("bob\n\u001b[2J"), snapshot(ALPHA, 20, 2));
      store.park(new AgentId("ada"), snapshot(BETA, 10, 3));
    }
  }

  static KvSnapshot snapshot(ModelTag tag, int tokens, long seed) {
    Random random = new Random(seed);
    byte[] bytes = new byte[2 * 4 * 4 * tokens];
    random.nextBytes(bytes);
    LayerKv layer = new LayerKv(0, tokens, ByteBuffer.wrap(bytes), ByteBuffer.wrap(bytes));
    int[] ids = IntStream.range(0, tokens).map(i -> 1 + i % 100).toArray();
    return new KvSnapshot(tag, KvLayout.uniform(1, 2, 4), KvPrecision.FLOAT32, ids, List.of(layer));
  }

  private Run caches(String command, String... more) {
    List<String> words = new ArrayList<>(List.of("caches", command));
    words.addAll(List.of("--cache-dir", caches.toString()));
    words.addAll(Arrays.asList(more));
    return run(words.toArray(String[]::new));
  }

  private List<JsonNode> list(String... more) throws IOException {
    List<String> words = new ArrayList<>(Arrays.asList(more));
    words.add("--json");
    List<JsonNode> found = new ArrayList<>();
    caches("list", words.toArray(String[]::new)).json("caches").get("caches").forEach(found::add);
    return found;
  }

  private Path file(String state, String prefix) throws IOException {
    try (Stream<Path> files = Files.walk(caches)) {
      return files
          .filter(file -> file.toString().contains(state))
          .filter(file -> String.valueOf(file.getFileName()).startsWith(prefix))
          .findFirst()
          .orElseThrow();
    }
  }

  @Test
  void everythingIsListed() throws IOException {
    List<JsonNode> all = list();
    assertEquals(3, all.size());
    for (JsonNode cache : all) {
      assertEquals(
          List.of(CACHE), cache.properties().stream().map(field -> field.getKey()).toList());
      assertEquals("live", cache.get("state").asText());
    }
    JsonNode ada = all.getFirst();
    assertEquals("ada", ada.get("agent").asText());
    assertEquals("alpha-1b", ada.get("model").asText());
    assertEquals(ALPHA.fingerprint(), ada.get("fingerprint").asText());
    assertEquals(300, ada.get("tokens").asInt());
    assertTrue(ada.get("bytes").asLong() > 300 * (4 + 64));
    assertTrue(Instant.parse(ada.get("parked").asText()).isBefore(Instant.now().plusSeconds(1)));
    assertEquals("bob\n\u001b[2J", all.get(1).get("agent").asText());
    Run people = caches("list");
    assertEquals(3, people.out().lines().count(), people.out());
    assertFalse(people.out().contains("\u001b"), "a name must not talk to the terminal");
  }

  /** Exactly, for whoever reads JSON; and nothing that a terminal would obey. */
  @Test
  void aNameThatSteersIsWrittenAsAnEscape() throws IOException {
    String name = "eve\u009b31m\u202e\u007f";
    try (DiskCacheStore store = DiskCacheStore.open(caches)) {
      store.park(new AgentId(name), snapshot(ALPHA, 5, 4));
    }
    assertEquals(name, list("--agent", name).getFirst().get("agent").asText());
    for (Run run : List.of(caches("list", "--json"), caches("list"), caches("verify"))) {
      assertTrue(
          run.out().chars().noneMatch(c -> c != '\n' && Character.isISOControl(c)), run.out());
      assertFalse(run.out().contains("\u202e"), run.out());
    }
  }

  @Test
  void listsCanBeNarrowed() throws IOException {
    assertEquals(2, list("--agent", "ada").size());
    assertEquals(2, list("--model", "alpha-1b").size());
    assertEquals(2, list("--model", ALPHA.toString()).size());
    assertEquals(1, list("--model", BETA.fingerprint()).size());
    assertEquals(1, list("--agent", "ada", "--model", "beta").size());
    assertEquals(0, list("--state", "archived").size());
    assertEquals(0, list("--older-than", "1h").size());
    age(file("beta", "ada"), Duration.ofDays(3));
    assertEquals(1, list("--older-than", "2d").size());
    assertEquals(1, list("--older-than", "PT48H").size());
    assertEquals("", caches("list", "--agent", "nobody").err());
  }

  private static void age(Path file, Duration age) throws IOException {
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().minus(age)));
  }

  @Test
  void show() throws IOException {
    List<String> fields = new ArrayList<>(List.of(CACHE));
    fields.addAll(List.of("layers", "precision", "encoding", "blocks"));
    JsonNode shown =
        caches("show", "--agent", "ada", "--model", "alpha-1b", "--json")
            .json(fields.toArray(String[]::new));
    assertEquals(1, shown.get("layers").size());
    assertEquals(2, shown.get("layers").get(0).get("kv_heads").asInt());
    assertEquals(4, shown.get("layers").get(0).get("head_dim").asInt());
    assertEquals(0, shown.get("layers").get(0).get("window").asInt());
    assertEquals("float32", shown.get("precision").asText());
    assertEquals("exact", shown.get("encoding").asText());
    assertEquals(1, shown.get("blocks").asInt());
    caches("show", "--agent", "ada", "--json").assertFailed(1, "2 caches", "--model");
    caches("show", "--agent", "eve", "--json").assertFailed(1, "no such cache");
  }

  @Test
  void verify() throws IOException {
    JsonNode good = caches("verify", "--json").json("ok", "damaged");
    assertTrue(good.get("ok").asBoolean());
    assertEquals("3 of 3 caches are whole\n", caches("verify").out());
    Path file = file("beta", "ada");
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 40] ^= 1;
    Files.write(file, bytes);
    Run bad = caches("verify", "--json");
    assertEquals(1, bad.code(), bad::toString);
    JsonNode damaged = new ObjectMapper().readTree(bad.out());
    assertFalse(damaged.get("ok").asBoolean());
    assertEquals(1, damaged.get("damaged").size());
    JsonNode found = damaged.get("damaged").get(0);
    assertEquals("ada", found.get("agent").asText());
    assertEquals("beta", found.get("model").asText());
    assertEquals(file.toString(), found.get("file").asText());
    assertTrue(found.get("problem").asText().contains("should have checksum"), bad.out());
    assertTrue(Files.exists(file), "looking changes nothing");
    assertTrue(caches("verify").out().contains("2 of 3 caches are whole"));
  }

  @Test
  void anAgentMovesToAnotherDirectory() throws IOException {
    Path out = directory.resolve("ada.kv");
    String[] export = {"--agent", "ada", "--model", "beta", "--out", out.toString(), "--json"};
    JsonNode exported = caches("export", export).json("agent", "model", "bytes", "file");
    assertEquals("ada", exported.get("agent").asText());
    assertEquals("beta", exported.get("model").asText());
    assertEquals(Files.size(out), exported.get("bytes").asLong());
    assertEquals(out.toString(), exported.get("file").asText());
    caches("export", export).assertFailed(1, out.toString(), "--overwrite");
    caches = directory.resolve("other machine");
    JsonNode imported =
        caches("import", out.toString(), "--json").json("agent", "model", "bytes", "file");
    assertEquals("beta", imported.get("model").asText());
    assertEquals(10, list().getFirst().get("tokens").asInt());
    assertTrue(caches("show").out().contains("imported     true"), caches("show")::out);
    caches("import", out.toString(), "--json")
        .assertFailed(1, "has a cache", "Nothing has changed");
    caches("import", out.toString(), "--replace", "--json").json("agent", "model", "bytes", "file");
    caches("import", out.toString(), "--agent", "carl", "--json")
        .json("agent", "model", "bytes", "file");
    assertEquals(2, list().size());
    caches("import", out.toString(), "--agent", " ").assertFailed(2, "--agent");
    byte[] bytes = Files.readAllBytes(out);
    bytes[200] ^= 1;
    Files.write(out, bytes);
    caches("import", out.toString(), "--replace").assertFailed(1, out.toString(), "checksum");
  }

  @Test
  void anotherModelsCacheIsRefused() throws IOException {
    Path out = directory.resolve("ada.kv");
    caches("export", "--agent", "ada", "--model", "alpha-1b", "--out", out.toString());
    caches = directory.resolve("other machine");
    try (DiskCacheStore store = DiskCacheStore.open(caches)) {
      store.park(new AgentId("carl"), snapshot(OTHER_ALPHA, 10, 1));
    }
    caches("import", out.toString())
        .assertFailed(1, ALPHA.fingerprint(), OTHER_ALPHA.fingerprint());
    assertEquals(1, list().size());
  }

  @Test
  void archive() throws IOException {
    JsonNode sum = caches("archive", "--agent", "ada", "--json").json("agents", "bytes");
    assertEquals(2, sum.get("agents").asInt());
    assertTrue(sum.get("bytes").asLong() > 0);
    assertEquals(2, list("--state", "archived").size());
    assertEquals(1, list("--state", "live").size());
    assertEquals("3 of 3 caches are whole\n", caches("verify").out());
    assertEquals(
        1, caches("archive", "--all", "--json").json("agents", "bytes").get("agents").asInt());
    try (DiskCacheStore store = DiskCacheStore.open(caches)) {
      store.updateModelTag(ALPHA);
      assertEquals(2, store.parked(ALPHA).size());
    }
    assertEquals(2, list("--state", "live").size());
  }

  @Test
  void purge() throws IOException {
    caches("purge", "--agent", "ada").assertFailed(2, "2 caches", "--yes");
    assertEquals(3, list().size());
    age(file("beta", "ada"), Duration.ofDays(40));
    JsonNode old = caches("purge", "--older-than", "5w", "--yes", "--json").json("agents", "bytes");
    assertEquals(1, old.get("agents").asInt());
    assertTrue(old.get("bytes").asLong() > 0);
    caches("archive", "--agent", "ada");
    assertEquals(
        "Removed 1 caches", caches("purge", "--state", "archived", "--yes").out().split(",", 2)[0]);
    assertEquals(1, list().size());
    Path foreign = Files.writeString(caches.resolve("swap.journal"), "journal");
    caches("purge", "--all", "--yes");
    assertEquals(List.of(), list());
    assertTrue(Files.exists(foreign));
    assertEquals("Nothing is parked here.\n", caches("list").out());
  }

  private Conversations said(String... agents) {
    Conversations conversations = new Conversations(caches);
    for (String agent : agents) {
      conversations.records(Optional.empty()).write(new AgentId(agent), "[]");
    }
    return conversations;
  }

  @Test
  void whatWasSaidIsPurgedWithTheCaches() throws IOException {
    Conversations conversations = said("ada", "bob\n\u001b[2J", "eve");
    caches("purge", "--agent", "ada").assertFailed(2, "2 caches and 1 conversations", "--yes");
    assertEquals(3, conversations.files().size());
    caches("purge", "--agent", "ada", "--model", "beta", "--yes");
    assertEquals(3, conversations.files().size(), "what is left is of another model");
    assertEquals(
        "Removed 1 caches and 1 conversations",
        caches("purge", "--agent", "ada", "--yes").out().split(",", 2)[0]);
    assertEquals(2, conversations.files().size());
    age(conversations.files().getFirst(), Duration.ofDays(40));
    caches("purge", "--older-than", "5w", "--yes");
    assertEquals(1, conversations.files().size());
    Path former = Files.writeString(caches.resolve("conversations/old.json"), "[]");
    caches("purge", "--all", "--yes");
    assertEquals(List.of(), conversations.files());
    assertFalse(Files.exists(former), "as earlier builds named it");
  }

  @Test
  void aDirectoryThatIsUsedMayBeLookedAtOnly() throws IOException {
    Path out = directory.resolve("ada.kv");
    String pid = Long.toString(ProcessHandle.current().pid());
    try (DiskCacheStore store = DiskCacheStore.open(caches)) {
      assertEquals(3, list().size());
      assertEquals(0, caches("verify").code());
      caches("export", "--agent", "ada", "--model", "beta", "--out", out.toString());
      caches("archive", "--all").assertFailed(1, "in use by", pid);
      caches("purge", "--all", "--yes").assertFailed(1, "in use by", pid);
      caches("import", out.toString(), "--replace").assertFailed(1, "in use by", pid);
      assertEquals(2, store.parked(ALPHA).size());
    }
  }

  @Test
  void aDirectoryThatIsNotThereIsNotMade() {
    caches = directory.resolve("nowhere");
    for (String command : List.of("list", "verify", "show")) {
      caches(command).assertFailed(1, "no cache directory", caches.toString());
    }
    caches("archive", "--all").assertFailed(1, "no cache directory");
    caches("purge", "--all", "--yes").assertFailed(1, "no cache directory");
    assertFalse(Files.exists(caches));
  }
}
