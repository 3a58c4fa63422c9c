package dev.semantic.mlx.models.hub;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import dev.semantic.mlx.files.ChangeTime;
import dev.semantic.mlx.files.Sha256;
import dev.semantic.mlx.models.hub.FakeHub.Asked;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;

/** What is fetched, from where, and how it lies here afterwards. */
class HubFetchTest extends HubTest {
  @Test
  void theModelsFilesLieAsTheHubsOwnToolsLayThem() throws Exception {
    aModel();
    Path snapshot = fetch("org/model");
    Path repository = cache.repository(FakeHub.ID);
    assertEquals(repository.resolve("snapshots").resolve(hub.commit), snapshot);
    assertEquals(hub.commit, Files.readString(repository.resolve("refs/main")));
    assertEquals(
        List.of("README.md", "config.json", "model.safetensors", "tokenizer.json"),
        names(snapshot));
    for (String name : names(snapshot)) {
      Path target = Files.readSymbolicLink(snapshot.resolve(name));
      assertEquals("../../blobs/" + hub.etag(name), target.toString());
    }
    assertArrayEquals(weights, Files.readAllBytes(snapshot.resolve("model.safetensors")));
    assertEquals(4, names(repository.resolve("blobs")).size(), "nothing half-done is left");
  }

  @Test
  void aLargeFileComesInRangesThatTheHubIsAskedOnceFor() throws Exception {
    aModel();
    fetch("org/model");
    List<Asked> ranges = hub.asked.stream().filter(Asked::storage).toList();
    assertEquals(3, ranges.size(), "20 MiB in ranges of 8");
    assertEquals(
        List.of("bytes=0-8388607", "bytes=16777216-20971519", "bytes=8388608-16777215"),
        ranges.stream().map(a -> a.header("Range")).sorted().toList());
  }

  @Test
  void theTokenGoesToTheHubAndNowhereElse() throws Exception {
    aModel();
    hub.token = "hf_secret";
    token = "hf_secret";
    fetch("org/model");
    assertTrue(hub.asked.stream().anyMatch(Asked::storage));
    for (Asked asked : hub.asked) {
      assertEquals(asked.storage() ? "" : "Bearer hf_secret", asked.header("Authorization"));
    }
  }

  @Test
  void aRepositoryThatWasRenamedAndAListInPagesAreFollowed() throws Exception {
    aModel();
    hub.pageSize = 2;
    var renamed =
        hub.trouble(
            a -> a.path().contains("/revision/"),
            1,
            e -> FakeHub.redirect(e, 307, e.getRequestURI().getPath() + "?"));
    assertTrue(Files.exists(fetch("org/model").resolve("tokenizer.json")));
    assertEquals(1, renamed.fired());
    assertEquals(
        3, hub.asked.stream().filter(a -> a.path().contains("/tree/")).count(), "five files");
  }

  @Test
  void shardsAreThoseThatTheIndexNames() throws Exception {
    aModel();
    hub.large("model-00001-of-00002.safetensors", bytes(100, 1));
    hub.large("model-00002-of-00002.safetensors", bytes(200, 2));
    hub.large("consolidated.safetensors", bytes(300, 3));
    hub.file("model.safetensors.index.json", index("1", "2"));
    assertEquals(
        List.of(
            "README.md",
            "config.json",
            "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors",
            "model.safetensors.index.json",
            "tokenizer.json"),
        names(fetch("org/model")));
  }

  @Test
  void ofSeveralGgufFilesOneIsChosen() throws Exception {
    hub.file("README.md", "---\nlicense: mit\n---");
    hub.large("model-Q4_K_M.gguf", bytes(100, 1));
    hub.large("model-Q8_0.gguf", bytes(200, 2));
    hub.large("mmproj-model.gguf", bytes(300, 3)); // eyes, not a model
    assertRefused(
        IOException.class, () -> fetch("org/model"), "2 .gguf", "org/model:model-Q4_K_M.gguf");
    assertRefused(IOException.class, () -> fetch("org/model:Q3"), "0 .gguf files with q3");
    assertEquals(List.of("README.md", "model-Q8_0.gguf"), names(fetch("org/model:q8_0")));
    assertEquals(3, names(fetch("org/model:model-Q4_K_M.gguf")).size(), "beside the other one");
  }

  @Test
  void allPartsOfASplitGgufAreOneModel() throws Exception {
    hub.large("model-00001-of-00002.gguf", bytes(100, 1));
    hub.large("model-00002-of-00002.gguf", bytes(200, 2));
    hub.large("._model-00001-of-00002.gguf", bytes(300, 3)); // of Finder's
    assertEquals(
        List.of("model-00001-of-00002.gguf", "model-00002-of-00002.gguf"),
        names(fetch("org/model")));
  }

  @Test
  void aModelIsChosenFromBesideItsEyes() throws Exception {
    hub.large("model-Q8_0.gguf", bytes(200, 2));
    hub.large("mmproj-model.gguf", bytes(300, 3));
    assertEquals(List.of("model-Q8_0.gguf"), names(fetch("org/model")));
  }

  /** As some proxies do it, whatever was asked for. */
  @Test
  void whatIsSentCompressedIsUnpacked() throws Exception {
    aModel();
    hub.trouble(
        a -> a.path().endsWith("/revision/main"),
        1,
        e -> compressed(e, 200, "{\"sha\":\"%s\"}".formatted(hub.commit)));
    hub.trouble(a -> a.path().endsWith("tokenizer.json"), 1, e -> compressed(e, 200, "{}"));
    Path snapshot = fetch("org/model");
    assertEquals("{}", Files.readString(snapshot.resolve("tokenizer.json")));
  }

  @Test
  void aPartThatIsCompressedIsRefused() throws Exception {
    aModel();
    hub.trouble(a -> a.storage(), 9, e -> compressed(e, 206, "parts"));
    assertRefused(IOException.class, () -> fetch("org/model"), "gzip", "proxy");
  }

  private static void compressed(HttpExchange exchange, int status, String text)
      throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream zip = new GZIPOutputStream(bytes)) {
      zip.write(text.getBytes(StandardCharsets.UTF_8));
    }
    exchange.getResponseHeaders().set("Content-Encoding", "gzip");
    FakeHub.send(exchange, status, bytes.toByteArray(), bytes.size());
  }

  @Test
  void anotherCommitBringsOnlyWhatIsOther() throws Exception {
    aModel();
    Path before = fetch("org/model");
    hub.asked.clear();
    hub.commit = "f".repeat(40);
    hub.file("config.json", "{\"model_type\":\"llama\",\"a\":1}");
    Path after = fetch("org/model");
    assertEquals(1, hub.contents().size());
    assertEquals(hub.commit, Files.readString(cache.repository(FakeHub.ID).resolve("refs/main")));
    assertFalse(Files.isSameFile(before.resolve("config.json"), after.resolve("config.json")));
    assertTrue(
        Files.isSameFile(before.resolve("model.safetensors"), after.resolve("model.safetensors")));
  }

  @Test
  void aRevisionIsNotedUnderItsOwnName() throws Exception {
    aModel();
    fetch("org/model@refs/pr/7");
    Path refs = cache.repository(FakeHub.ID).resolve("refs");
    assertEquals(hub.commit, Files.readString(refs.resolve("refs/pr/7")));
    assertFalse(Files.exists(refs.resolve("main")));
    assertTrue(
        hub.asked.stream().anyMatch(a -> a.path().endsWith("/revision/refs/pr/7")),
        hub.asked::toString);
    fetch("org/model@" + hub.commit);
    assertEquals(1, names(refs).size(), "a commit needs no name");
  }

  @Test
  void whatPythonBeganIsMadeWhole() throws Exception {
    aModel();
    Path snapshot =
        Files.createDirectories(
            cache.repository(FakeHub.ID).resolve("snapshots").resolve(hub.commit));
    Files.createSymbolicLink(snapshot.resolve("config.json"), Path.of("../../blobs/gone"));
    assertEquals(4, names(fetch("org/model")).size());
    assertTrue(Files.readString(snapshot.resolve("config.json")).contains("llama"));
  }

  @Test
  void ofManyFetchersOneDownloads() throws Exception {
    aModel();
    List<Callable<Path>> fetches = Collections.nCopies(4, () -> fetch("org/model"));
    try (var threads = Executors.newFixedThreadPool(4)) {
      for (Future<Path> fetched : threads.invokeAll(fetches)) {
        assertEquals(4, names(fetched.get()).size());
      }
    }
    assertEquals(6, hub.contents().size(), "three small files and three ranges, once");
  }

  @Test
  void progressCountsWhatIsHereAlready() throws Exception {
    aModel();
    fetch("org/model");
    long total = meter.total;
    assertTrue(total > weights.length);
    assertEquals(total, meter.moved);
    RecordingMeter again = new RecordingMeter();
    meter = again;
    fetch("org/model");
    assertEquals(total, again.moved);
    assertEquals(List.of(), again.checked, "nothing came, nothing to check");
  }

  /** The cache is shared with other tools, and perhaps with other people. */
  @Test
  void aBlobOfTheRightSizeAndAnotherContentIsFetchedAgain() throws Exception {
    aModel();
    Path blobs = Files.createDirectories(cache.blobs(FakeHub.ID));
    Files.write(blobs.resolve(hub.etag("model.safetensors")), bytes(weights.length, 8));
    Files.writeString(blobs.resolve(hub.etag("tokenizer.json")), "[]");
    Path snapshot = fetch("org/model");
    assertArrayEquals(weights, Files.readAllBytes(snapshot.resolve("model.safetensors")));
    assertEquals("{}", Files.readString(snapshot.resolve("tokenizer.json")));
  }

  /** The same file, of the same size and with the time that it had. */
  @Test
  void aBlobThatIsWrittenToUnderItsOldTimeIsReadAgain() throws Exception {
    Path blob = Files.write(home.resolve("blob"), weights);
    String etag = Sha256.of(blob);
    assertTrue(VerifiedBlobs.holds(blob, etag));
    FileTime modified = Files.getLastModifiedTime(blob);
    FileTime changed = ChangeTime.of(blob).orElseThrow(); // clocks of file systems are coarse
    Path probe = home.resolve("probe");
    await()
        .until(
            () -> ChangeTime.of(Files.writeString(probe, "")).orElseThrow().compareTo(changed) > 0);
    Files.write(blob, bytes(weights.length, 8));
    Files.setLastModifiedTime(blob, modified);
    assertFalse(VerifiedBlobs.holds(blob, etag));
  }

  @Test
  void aSnapshotThatIsALinkOutOfTheCacheIsNotUsed() throws Exception {
    aModel();
    Path elsewhere = Files.createDirectory(home.resolve("elsewhere"));
    Files.writeString(elsewhere.resolve("config.json"), "{}");
    Path snapshots = Files.createDirectories(cache.repository(FakeHub.ID).resolve("snapshots"));
    Path snapshot = Files.createSymbolicLink(snapshots.resolve(hub.commit), elsewhere);
    assertRefused(IOException.class, () -> cache.requireInside(snapshot), "outside of the cache");
    assertRefused(IOException.class, () -> fetch("org/model"), "outside of the cache");
    assertEquals(List.of("config.json"), names(elsewhere), "and nothing is written there");
  }

  @Test
  void aDirectoryInASnapshotThatIsALinkOutOfTheCacheIsNotUsed() throws Exception {
    aModel();
    Path snapshot = fetch("org/model");
    cache.requireInside(snapshot);
    Path elsewhere = Files.createDirectory(home.resolve("elsewhere"));
    Files.createSymbolicLink(snapshot.resolve("additional_chat_templates"), elsewhere);
    assertRefused(IOException.class, () -> cache.requireInside(snapshot), "outside of the cache");
  }

  @Test
  void anEmptyFileIsAFile() throws Exception {
    aModel();
    hub.file("LICENSE", "");
    assertEquals(0, Files.size(fetch("org/model").resolve("LICENSE")));
  }

  private static String index(String... shards) {
    return List.of(shards).stream()
        .map(n -> "\"t%s\":\"model-0000%s-of-00002.safetensors\"".formatted(n, n))
        .collect(Collectors.joining(",", "{\"weight_map\":{", "}}"));
  }

  @Test
  void anIndexThatNamesWhatIsNotThereIsRefused() throws Exception {
    aModel();
    hub.large("model-00001-of-00002.safetensors", bytes(100, 1));
    hub.file("model.safetensors.index.json", index("1", "2"));
    assertRefused(IOException.class, () -> fetch("org/model"), "model-00002-of-00002.safetensors");
    assertNothingPublished();
  }
}
