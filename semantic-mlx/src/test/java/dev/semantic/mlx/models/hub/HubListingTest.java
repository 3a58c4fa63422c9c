package dev.semantic.mlx.models.hub;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ProxySelector;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Lists that no model, or a bad one, can be taken from; and places where nothing can be put. */
class HubListingTest extends HubTest {
  private void tree(String entries) {
    byte[] body = ("[" + entries + "]").getBytes(StandardCharsets.UTF_8);
    hub.trouble(a -> a.path().contains("/tree/"), 1, e -> FakeHub.send(e, 200, body, body.length));
  }

  private static String entry(String path, long size, String oid) {
    return "{\"type\":\"file\",\"oid\":\"%s\",\"size\":%d,\"path\":\"%s\"}"
        .formatted(oid, size, path);
  }

  private void assertLeavesNothing(String... words) {
    assertRefused(IOException.class, () -> fetch("org/model"), words);
    assertFalse(Files.exists(cache.repository(FakeHub.ID)), "no trace of a repository");
    assertEquals(0, hub.contents().size());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../x.gguf",
        "a/../../x.gguf",
        "/etc/x.gguf",
        "a//x.gguf",
        "./x.gguf",
        "a\\\\x.gguf",
        "C:x.gguf",
        "x\\u0000.gguf",
        "x\\u009b.gguf"
      })
  void aFileThatWouldLieElsewhereIsRefused(String path) throws Exception {
    aModel();
    tree(entry(path, 5, "a".repeat(40)));
    assertLeavesNothing("outside of the model");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../../../x", "", "ABCDEF", "a", "aa/bb"})
  void aChecksumThatIsNoneIsRefused(String oid) {
    tree(entry("model.gguf", 5, oid));
    assertLeavesNothing("no checksum", "model.gguf");
  }

  @Test
  void aRepositoryWithoutAModelTellsWhatItHas() throws Exception {
    hub.file("README.md", "nothing").file("pytorch_model.bin", "old").file("config.json", "{}");
    assertLeavesNothing("no model that can be loaded", "README.md, config.json, pytorch_model.bin");
  }

  @Test
  void aModelWithoutATokenizerIsRefused() throws Exception {
    hub.file("config.json", "{}").large("model.safetensors", bytes(10, 1));
    assertLeavesNothing("tokenizer.json", "config.json, model.safetensors");
  }

  @Test
  void anEmptyRepositorySaysSo() {
    assertLeavesNothing("it has no files");
  }

  @Test
  void aSplitGgufThatLacksAPartIsRefused() throws Exception {
    hub.large("model-00001-of-00003.gguf", bytes(10, 1));
    hub.large("model-00003-of-00003.gguf", bytes(10, 3));
    assertLeavesNothing("split", "model-00002-of-00003.gguf");
  }

  @Test
  void aModelThatTheDiskCannotHoldIsNotBegun() {
    tree(entry("model.gguf", 1L << 43, "a".repeat(40)));
    assertLeavesNothing("free", "HF_HUB_CACHE", "8796093022208");
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, Long.MAX_VALUE, Long.MIN_VALUE})
  void aSizeThatCannotBeTrueIsRefused(long size) {
    tree(entry("model.gguf", size, "a".repeat(40)));
    assertLeavesNothing("model.gguf", "size");
  }

  @ParameterizedTest
  @ValueSource(strings = {"<html>log in</html>", "", "{\"sha\":\"../..\"}", "{}", "[]", "7"})
  void whatIsNoHubIsRecognised(String answer) {
    byte[] body = answer.getBytes(StandardCharsets.UTF_8);
    hub.trouble(a -> true, 1, e -> FakeHub.send(e, 200, body, body.length));
    assertLeavesNothing("is it a hub?");
  }

  @Test
  void aListThatGoesOnElsewhereIsNotFollowed() throws Exception {
    aModel();
    hub.trouble(
        a -> a.path().contains("/tree/"),
        1,
        e -> {
          e.getResponseHeaders().set("Link", "<http://127.0.0.2:9/x>; rel=\"next\"");
          FakeHub.send(e, 200, "[]".getBytes(StandardCharsets.UTF_8), 2);
        });
    assertLeavesNothing("goes on elsewhere", "127.0.0.2");
  }

  @Test
  void aListOfEmptyPagesWithoutEndIsRefused() throws Exception {
    aModel();
    hub.trouble(
        a -> a.path().contains("/tree/"),
        Integer.MAX_VALUE,
        e -> {
          String on = hub.endpoint() + e.getRequestURI().getPath() + "?cursor=0";
          e.getResponseHeaders().set("Link", "<%s>; rel=\"next\"".formatted(on));
          FakeHub.send(e, 200, "[]".getBytes(StandardCharsets.UTF_8), 2);
        });
    assertLeavesNothing("does not end");
  }

  /** Small as it is sent, and small as it is unpacked, but not as what it says. */
  @Test
  void anAnswerOfMoreValuesThanFitIsRefused() throws Exception {
    aModel();
    ByteArrayOutputStream sent = new ByteArrayOutputStream();
    try (GZIPOutputStream zip = new GZIPOutputStream(sent)) {
      zip.write(("[" + "[],".repeat(10_000_000) + "[]]").getBytes(StandardCharsets.US_ASCII));
    }
    hub.trouble(
        a -> a.path().contains("/tree/"),
        1,
        e -> {
          e.getResponseHeaders().set("Content-Encoding", "gzip");
          FakeHub.send(e, 200, sent.toByteArray(), sent.size());
        });
    assertLeavesNothing("more values");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model.safetensors.index.json",
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "generation_config.json",
        "README.md"
      })
  void aSmallFileOfTerabytesIsRefusedBeforeItIsAskedFor(String large) throws Exception {
    String entries =
        Stream.of("config.json", "tokenizer.json", "model.safetensors", large)
            .distinct()
            .map(name -> entry(name, name.equals(large) ? 1L << 43 : 2, "a".repeat(40)))
            .collect(Collectors.joining(","));
    tree(entries);
    assertLeavesNothing(large, "8796093022208", "more than");
    tree(entries);
    Path into = Files.createDirectory(home.resolve("outline"));
    assertRefused(
        IOException.class,
        () ->
            new HubFetch(
                    hub.endpoint(),
                    Optional.empty(),
                    cache,
                    ProxySelector.of(null),
                    RetryPolicy.USUAL)
                .outline(HubRepo.parse("org/model").orElseThrow(), into, meter),
        large);
    assertEquals(0, hub.contents().size());
  }

  @Test
  void aHubsWordsMoveNoTerminal() {
    // Others than these the client takes for no answer at all.
    hub.trouble(a -> true, 1, e -> FakeHub.refuse(e, 403, "", "no\u009b31m \u0085more"));
    IOException refused = assertRefused(IOException.class, () -> fetch("org/model"), "more");
    assertTrue(
        String.valueOf(refused.getMessage()).chars().noneMatch(Character::isISOControl),
        refused::getMessage);
  }

  @Test
  void aCacheThatCannotBeWrittenIsNamed() throws Exception {
    aModel();
    Path inTheWay = Files.writeString(home.resolve("hub"), "a file");
    assertRefused(IOException.class, () -> fetch("org/model"), inTheWay.toString());
    assertEquals(0, hub.asked.size(), "seen before anybody is asked");
  }

  @Test
  void aTokenThatIsNoneIsRefusedUnshown() {
    token = "hf_x\nEvil: y";
    IOException refused =
        assertRefused(IOException.class, () -> fetch("org/model"), "token", "HF_TOKEN");
    assertFalse(String.valueOf(refused.getMessage()).contains("Evil"));
    assertEquals(0, hub.asked.size());
  }

  @Test
  void aRepositoryLikeARealOneIsUnderstood() throws Exception {
    try (var list = getClass().getResourceAsStream("/hub/tree-of-a-4bit-model.json")) {
      byte[] body = list.readAllBytes();
      hub.trouble(
          a -> a.path().contains("/tree/"), 1, e -> FakeHub.send(e, 200, body, body.length));
    }
    try (HubHttp http =
        new HubHttp(hub.endpoint(), Optional.empty(), ProxySelector.of(null), silence)) {
      Listing listing =
          new HubApi(http, new Retrying(RetryPolicy.USUAL, meter))
              .list(HubRepo.parse("org/model").orElseThrow());
      assertEquals(13, listing.files().size());
      assertEquals("mit", listing.license().orElseThrow());
      FileSelector selector = FileSelector.of(listing);
      assertEquals("model.safetensors.index.json", selector.index().orElseThrow().path());
      Path index =
          Files.writeString(
              home.resolve("index"),
              "{\"weight_map\":{\"a\":\"model-00001-of-00002.safetensors\","
                  + "\"b\":\"model-00002-of-00002.safetensors\"}}");
      long bytes = selector.with(index).files().stream().mapToLong(RemoteFile::sizeBytes).sum();
      assertEquals(8_325_461_375L, bytes);
    }
  }
}
