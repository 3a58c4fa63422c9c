package dev.semantic.mlx.models.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import dev.semantic.fuzz.FuzzTarget;
import dev.semantic.fuzz.JsonEdits;
import dev.semantic.fuzz.Recipe;
import dev.semantic.mlx.files.OnceDirectory;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ProxySelector;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;

/** What a hub, or whoever answers in its place, says of a repository and sends as its files. */
public final class HubFuzz implements FuzzTarget {
  private static final List<Integer> STATUSES =
      List.of(200, 200, 206, 204, 301, 302, 307, 400, 401, 403, 404, 416, 429, 500, 503);
  private static final List<String> HEADERS =
      List.of(
          "Link",
          "Location",
          "Content-Encoding",
          "Content-Range",
          "Retry-After",
          "RateLimit",
          "X-Error-Message",
          "X-Error-Code",
          "X-Linked-Size",
          "X-Linked-Etag",
          "X-Repo-Commit");

  private static final String INDEX = "{\"weight_map\":{\"a\":\"a.safetensors\"}}";

  private final FakeHub hub;
  private final Path directory;
  private final JsonNode info;
  private final JsonNode tree;

  private HubFuzz(Path directory) throws IOException {
    this.directory = directory;
    this.hub = new FakeHub();
    hub.file("config.json", "{\"model_type\":\"llama\"}").file("tokenizer.json", "{}");
    hub.file("model.safetensors.index.json", INDEX);
    hub.large("a.safetensors", "\2\0\0\0\0\0\0\0{}".getBytes(StandardCharsets.UTF_8));
    this.info =
        JsonEdits.JSON.readTree(
            "{\"id\":\"%s\",\"sha\":\"%s\",\"tags\":[\"mlx\",\"license:mit\"],\"cardData\":{\"license\":\"mit\"}}"
                .formatted(FakeHub.ID, hub.commit));
    StringBuilder entries = new StringBuilder();
    Map<String, Integer> sizes =
        Map.of(
            "config.json", 22, "tokenizer.json", 2, "model.safetensors.index.json", INDEX.length());
    sizes.forEach(
        (name, size) ->
            entries.append(
                "{\"type\":\"file\",\"oid\":\"%s\",\"size\":%d,\"path\":\"%s\"},"
                    .formatted(hub.etag(name), size, name)));
    entries.append(
        "{\"type\":\"file\",\"oid\":\"%s\",\"size\":10,\"path\":\"a.safetensors\",\"lfs\":{\"oid\":\"%s\",\"size\":10,\"pointerSize\":134}}"
            .formatted("a".repeat(40), hub.etag("a.safetensors")));
    this.tree = JsonEdits.JSON.readTree("[" + entries + "]");
  }

  public static FuzzTarget make(Path directory) throws IOException {
    return new HubFuzz(directory);
  }

  @Override
  public int costs() {
    return 5;
  }

  @Override
  public Depth read(Recipe recipe) throws Exception {
    FakeHub.Trouble trouble =
        switch (recipe.below(5)) {
          case 0, 1 -> json("/tree/", tree, recipe);
          case 2 -> json("/revision/", info, recipe);
          case 3 -> json("index", JsonEdits.JSON.readTree(INDEX), recipe);
          default -> raw(recipe);
        };
    Path into = Files.createTempDirectory(directory, "outline");
    RetryPolicy retryPolicy =
        new RetryPolicy(
            2, Duration.ofMillis(1), Duration.ofSeconds(1), Duration.ofMillis(200), t -> {});
    try {
      new HubFetch(
              hub.endpoint(),
              Optional.of("secret"),
              new HubCache(directory.resolve("cache")),
              ProxySelector.of(null),
              retryPolicy)
          .outline(HubRepo.parse(FakeHub.ID).orElseThrow(), into, new RecordingMeter());
      return trouble.fired() == 0 ? Depth.FRONT : Depth.TAKEN;
    } catch (IOException e) {
      requirePlain(String.valueOf(e.getMessage()));
      return hub.asked.size() > 2 ? Depth.INSIDE : Depth.FRONT;
    } finally {
      hub.asked.clear();
      hub.calm();
      OnceDirectory.delete(into);
    }
  }

  private static void requirePlain(String message) {
    if (message.length() > 4000
        || message.contains("secret")
        || message.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalStateException("A hub's words unchecked: " + message);
    }
  }

  private FakeHub.Trouble json(String where, JsonNode good, Recipe recipe) throws IOException {
    byte[] bytes = JsonEdits.JSON.writeValueAsBytes(JsonEdits.edited(good, recipe));
    byte[] body = recipe.sometimes(16) ? recipe.bent(bytes) : bytes;
    boolean packed = recipe.sometimes(8);
    return hub.trouble(
        asked -> asked.path().contains(where),
        2,
        exchange -> send(exchange, 200, packed ? gzip(body) : body, packed));
  }

  private FakeHub.Trouble raw(Recipe recipe) {
    String where = recipe.one(List.of("/tree/", "/revision/", "config.json", "a.safetensors"));
    int status = recipe.one(STATUSES);
    String header = recipe.one(HEADERS);
    String value =
        switch (recipe.below(5)) {
          case 0 -> recipe.text();
          case 1 -> Long.toString(recipe.number(10));
          case 2 -> "<" + hub.endpoint() + "/api>; rel=\"next\"";
          case 3 -> "bytes " + recipe.number(0) + "-9/" + recipe.number(10);
          default -> "/" + FakeHub.ID + "/" + recipe.text();
        };
    String plain = value.replaceAll("[^ -~]", "?");
    byte[] body = recipe.text().getBytes(StandardCharsets.UTF_8);
    return hub.trouble(
        asked -> asked.path().contains(where),
        2,
        exchange -> {
          exchange.getResponseHeaders().set(header, plain);
          FakeHub.send(
              exchange,
              status,
              status == 204 ? new byte[0] : body,
              status == 204 ? 0 : body.length);
        });
  }

  private static void send(HttpExchange exchange, int status, byte[] body, boolean packed)
      throws IOException {
    if (packed) {
      exchange.getResponseHeaders().set("Content-Encoding", "gzip");
    }
    FakeHub.send(exchange, status, body, body.length);
  }

  private static byte[] gzip(byte[] body) throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
      out.write(body);
    }
    return packed.toByteArray();
  }

  @Override
  public void close() {
    hub.close();
  }
}
